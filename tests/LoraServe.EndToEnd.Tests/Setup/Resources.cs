using LoraServe.Compute.Memory;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>What this process holds, without what only awaits collection.</summary>
internal static class Resources
{
    public static long NativeBytes()
    {
        Collect();
        return NativeBuffer.AllocatedBytes;
    }

    /// <summary>Open files, sockets and pipes; 0 where the system does not tell.</summary>
    public static int OpenHandles()
    {
        Collect();
        return Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0;
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
