using System.Threading.Channels;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Store;

/// <summary>Hands events to everyone who watches. Who falls far behind is cut off and told so, rather than shown gaps.</summary>
internal sealed class AdapterWatchers
{
    private const int MaxBehind = 4096;

    private readonly Lock _lock = new();
    private readonly List<Channel<AdapterEvent>> _channels = [];

    public void Tell(AdapterEvent happened)
    {
        lock (_lock)
        {
            _channels.RemoveAll(channel => !channel.Writer.TryWrite(happened) && CutOff(channel));
        }
    }

    /// <summary>Begins to watch, with some events already there.</summary>
    public Channel<AdapterEvent> Add(IEnumerable<AdapterEvent> first)
    {
        AdapterEvent[] events = [.. first];
        Channel<AdapterEvent> channel = Channel.CreateBounded<AdapterEvent>(new BoundedChannelOptions(MaxBehind + events.Length) { SingleReader = true });
        foreach (AdapterEvent each in events)
        {
            channel.Writer.TryWrite(each);
        }

        lock (_lock)
        {
            _channels.Add(channel);
        }

        return channel;
    }

    public void Remove(Channel<AdapterEvent> channel)
    {
        lock (_lock)
        {
            _channels.Remove(channel);
        }
    }

    /// <summary>Ends all watching.</summary>
    public void Complete()
    {
        lock (_lock)
        {
            _channels.ForEach(channel => channel.Writer.TryComplete());
            _channels.Clear();
        }
    }

    private static bool CutOff(Channel<AdapterEvent> channel) =>
        channel.Writer.TryComplete(new EngineException(EngineError.QueueFull, $"More than {MaxBehind} events were not read. List the adapters and watch again."));
}
