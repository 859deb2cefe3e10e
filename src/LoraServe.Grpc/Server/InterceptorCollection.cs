using System.Collections.ObjectModel;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>The interceptors of a server, in the order in which they see a call.</summary>
public sealed class InterceptorCollection : Collection<InterceptorRegistration>
{
    /// <summary>Adds an interceptor, taken from the service provider or created with it, once for the application.</summary>
    /// <param name="args">Constructor arguments that the service provider does not have.</param>
    /// <typeparam name="TInterceptor">The interceptor.</typeparam>
    public void Add<TInterceptor>(params object[] args)
        where TInterceptor : Interceptor =>
        Add(new InterceptorRegistration(typeof(TInterceptor), args));
}

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
