using System.Globalization;
using LoraServe.Models;

namespace LoraServe.Torch.Native;

/// <summary>What of a device's memory is spoken for: reserved before it is allocated, because libtorch's cache never gives memory back.</summary>
/// <param name="device">The device's name.</param>
/// <param name="limit">Most bytes; null for no limit. What a step needs meanwhile is not counted: a tenth is left for it.</param>
internal sealed class DeviceMemory(string device, long? limit)
{
    private readonly Lock _gate = new();
    private long _reserved;

    /// <summary>The device's name.</summary>
    public string Device => device;

    /// <summary>Bytes that are spoken for.</summary>
    public long Reserved => Interlocked.Read(ref _reserved);

    /// <summary>Reserves memory until the reservation is disposed of.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="what">What for, such as <c>the weights</c>.</param>
    /// <param name="remedy">What would make it fit.</param>
    /// <exception cref="DeviceException">There is not that much left.</exception>
    public IDisposable Reserve(long bytes, string what, string remedy) =>
        TryReserve(bytes) ?? throw new DeviceException(string.Create(CultureInfo.InvariantCulture, $"{what} need {Text(bytes)} of {device}'s memory, and {Text(limit!.Value - Reserved)} of {Text(limit.Value)} are left; {remedy}."));

    /// <summary>Reserves memory until the reservation is disposed of; null where there is not that much left.</summary>
    public IDisposable? TryReserve(long bytes)
    {
        lock (_gate)
        {
            if (limit is { } most && _reserved + bytes > most)
            {
                return null;
            }

            _reserved += bytes;
            return new Reservation(this, bytes);
        }
    }

    private static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.0} MiB");

    private sealed class Reservation(DeviceMemory memory, long bytes) : IDisposable
    {
        private long _bytes = bytes;

        public void Dispose() => Interlocked.Add(ref memory._reserved, -Interlocked.Exchange(ref _bytes, 0));
    }
}
