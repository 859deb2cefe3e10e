namespace Grpc.Core;

/// <summary>A way to one server, which makes call invokers.</summary>
public abstract class ChannelBase
{
    /// <summary>Creates a channel.</summary>
    /// <param name="target">Host and port.</param>
    protected ChannelBase(string target) => Target = target;

    /// <summary>Host and port of the server.</summary>
    public string Target { get; }

    /// <summary>Makes an invoker whose calls use this channel.</summary>
    public abstract CallInvoker CreateCallInvoker();

    /// <summary>Closes the channel; running calls are cancelled.</summary>
    public Task ShutdownAsync() => ShutdownAsyncCore();

    /// <summary>The implementation of <see cref="ShutdownAsync"/>.</summary>
    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}
