using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>An interceptor to be made.</summary>
public sealed class InterceptorRegistration
{
    private readonly object[] _arguments;

    internal InterceptorRegistration(Type type, object[] arguments)
    {
        Type = type;
        _arguments = arguments;
    }

    /// <summary>The type of the interceptor.</summary>
    public Type Type { get; }

    internal Interceptor Create(IServiceProvider services) =>
        (Interceptor)((_arguments.Length == 0 ? services.GetService(Type) : null)
            ?? ActivatorUtilities.CreateInstance(services, Type, _arguments));
}
