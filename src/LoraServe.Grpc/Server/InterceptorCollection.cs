using System.Collections.ObjectModel;
using Grpc.Core.Interceptors;

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
