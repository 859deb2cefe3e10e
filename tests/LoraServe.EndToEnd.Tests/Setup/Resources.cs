using LoraServe.Compute.Memory;

namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>What this process holds, without what only awaits collection.</summary>
internal static class Resources
{
    /// <summary>Native memory but for scratch, whose growth depends on which thread did what.</summary>
    public static long NativeBytes()
    {
        Collect();
        return NativeBuffer.AllocatedBytes - NativeBuffer.ScratchBytes;
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
