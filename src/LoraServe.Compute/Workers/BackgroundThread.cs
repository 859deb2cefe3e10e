using System.Runtime.InteropServices;

namespace LoraServe.Compute.Workers;

/// <summary>Threads that compute only while no other thread of the machine wants their core.</summary>
public static partial class BackgroundThread
{
    private const int Process = 0;
    private const int LowestPriority = 19;

    /// <summary>Lets the calling thread give way to all others from now on.</summary>
    /// <remarks>On Linux it is the kernel's niceness, which .NET's thread priorities leave alone; elsewhere .NET's priority.</remarks>
    public static void YieldToOthers()
    {
        if (OperatingSystem.IsLinux())
        {
            // Zero stands for the calling thread. A kernel that refuses changes nothing but speed.
            _ = SetPriority(Process, 0, LowestPriority);
        }
        else
        {
            Thread.CurrentThread.Priority = ThreadPriority.Lowest;
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);
}
