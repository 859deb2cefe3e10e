using System.Runtime.InteropServices;

namespace LoraServe.Torch.Native;

/// <summary>What libtorch throws, told apart by its text, since it has one type for all.</summary>
internal static class TorchFailure
{
    private static readonly string[] s_outOfMemory = ["out of memory", "can't allocate memory", "not enough memory"];

    /// <summary>The failure with its first line alone: the rest is addresses.</summary>
    public static Exception Of(ExternalException failure)
    {
        string line = failure.Message.Split('\n')[0];
        return s_outOfMemory.Any(text => failure.Message.Contains(text, StringComparison.OrdinalIgnoreCase))
            ? new InsufficientMemoryException($"The device's memory is full: {line}", failure)
            : new InvalidOperationException(line, failure);
    }
}
