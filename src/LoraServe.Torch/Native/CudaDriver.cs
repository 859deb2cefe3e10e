using System.Runtime.InteropServices;
using LoraServe.Models;

namespace LoraServe.Torch.Native;

/// <summary>What NVIDIA's driver says, wherever there is one.</summary>
internal static unsafe class CudaDriver
{
    private static readonly nint s_library = NativeLibrary.TryLoad("libcuda.so.1", out nint library) ? library : 0;

    /// <summary>Requires a GPU.</summary>
    /// <exception cref="DeviceException">Driver or GPU is missing.</exception>
    public static void Require(int gpu)
    {
        int count = Count();
        if (count == 0)
        {
            throw new DeviceException(s_library == 0
                ? "there is no NVIDIA driver here (libcuda.so.1); expected one, and in a container the NVIDIA container toolkit."
                : "NVIDIA's driver sees no GPU here; expected one, and CUDA_VISIBLE_DEVICES to allow it.");
        }

        if (gpu >= count)
        {
            throw new DeviceException($"there is no cuda:{gpu}; NVIDIA's driver sees {count} here, cuda:0 to cuda:{count - 1}.");
        }
    }

    /// <summary>Has the libtorch that was loaded use the driver.</summary>
    /// <exception cref="DeviceException">It cannot.</exception>
    public static void Initialize()
    {
        torch.InitializeDeviceType(DeviceType.CUDA);
        if (!torch.cuda.is_available())
        {
            throw new DeviceException($"libtorch in {LibTorch.Folder} cannot use NVIDIA's driver; expected a driver as new as its CUDA.");
        }
    }

    /// <summary>Number of GPUs that the driver sees.</summary>
    public static int Count()
    {
        int count = 0;
        return s_library != 0 && ((delegate* unmanaged<uint, int>)NativeLibrary.GetExport(s_library, "cuInit"))(0) == 0
            && ((delegate* unmanaged<int*, int>)NativeLibrary.GetExport(s_library, "cuDeviceGetCount"))(&count) == 0
            ? count
            : 0;
    }

    /// <summary>What a GPU calls itself.</summary>
    public static string NameOf(int gpu)
    {
        const int NameBytes = 128;
        byte* name = stackalloc byte[NameBytes];
        _ = ((delegate* unmanaged<byte*, int, int, int>)NativeLibrary.GetExport(s_library, "cuDeviceGetName"))(name, NameBytes, Handle(gpu));
        return Marshal.PtrToStringUTF8((nint)name)!;
    }

    /// <summary>What a GPU can do, as NVIDIA counts it: 9.0 is Hopper.</summary>
    public static (int Major, int Minor) ComputeCapability(int gpu)
    {
        const int Major = 75;
        const int Minor = 76;
        return (Attribute(Major, Handle(gpu)), Attribute(Minor, Handle(gpu)));
    }

    /// <summary>Bytes of a GPU's memory that nobody has.</summary>
    public static long FreeBytes(int gpu)
    {
        // libtorch's context is the one that is asked about, so it has to be there.
        using (torch.zeros(1, device: torch.device(DeviceType.CUDA, gpu)))
        {
            nuint free = 0;
            nuint total = 0;
            return ((delegate* unmanaged<nuint*, nuint*, int>)NativeLibrary.GetExport(s_library, "cuMemGetInfo_v2"))(&free, &total) == 0 ? (long)free : 0;
        }
    }

    private static int Handle(int gpu)
    {
        int device = 0;
        _ = ((delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(s_library, "cuDeviceGet"))(&device, gpu);
        return device;
    }

    private static int Attribute(int which, int device)
    {
        int value = 0;
        _ = ((delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(s_library, "cuDeviceGetAttribute"))(&value, which, device);
        return value;
    }
}
