using System.Globalization;
using System.Runtime.InteropServices;
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
    public long Reserved
    {
        get
        {
            lock (_gate)
            {
                return _reserved;
            }
        }
    }

    /// <summary>Makes something in memory that is spoken for first.</summary>
    /// <param name="bytes">How much it takes.</param>
    /// <param name="what">What it is, such as <c>the weights</c>.</param>
    /// <param name="remedy">What would make it fit.</param>
    /// <param name="make">Makes it, and takes over the reservation, which is given back when that is disposed of.</param>
    /// <exception cref="DeviceException">There is not that much left, and nothing was allocated; or the device says so.</exception>
    public T Make<T>(long bytes, string what, string remedy, Func<IDisposable, T> make)
    {
        IDisposable reservation = Reserve(bytes, what, remedy);
        try
        {
            return make(reservation);
        }
        catch (ExternalException failure)
        {
            reservation.Dispose();
            throw new DeviceException(TorchFailure.Of(failure).Message, failure);
        }
        catch
        {
            reservation.Dispose();
            throw;
        }
    }

    /// <summary>Reserves memory until the reservation is disposed of.</summary>
    /// <inheritdoc cref="Make" path="/param"/>
    /// <exception cref="DeviceException">There is not that much left.</exception>
    public IDisposable Reserve(long bytes, string what, string remedy)
    {
        lock (_gate)
        {
            if (limit is { } most && _reserved + bytes > most)
            {
                throw new DeviceException(string.Create(
                    CultureInfo.InvariantCulture, $"{what} need {Text(bytes)} of {device}'s memory, and {Text(most - _reserved)} of {Text(most)} are left; {remedy}."));
            }

            _reserved += bytes;
            return new Reservation(this, bytes);
        }
    }

    private void Return(long bytes)
    {
        lock (_gate)
        {
            _reserved -= bytes;
        }
    }

    private static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.0} MiB");

    private sealed class Reservation(DeviceMemory memory, long bytes) : IDisposable
    {
        private long _bytes = bytes;

        public void Dispose() => memory.Return(Interlocked.Exchange(ref _bytes, 0));
    }
}
