namespace Grpc.Core;

/// <summary>What is known of a method without its message types.</summary>
public interface IMethod
{
    /// <summary>Which sides are streams.</summary>
    MethodType Type { get; }

    /// <summary>The full name of the service, with its package.</summary>
    string ServiceName { get; }

    /// <summary>The name of the method inside its service.</summary>
    string Name { get; }

    /// <summary>The path of the method: "/service/method".</summary>
    string FullName { get; }
}
