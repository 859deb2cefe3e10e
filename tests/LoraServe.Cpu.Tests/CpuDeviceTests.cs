using LoraServe.Compute.Memory;
using LoraServe.Cpu.Tests.Resident;
using LoraServe.Models;

namespace LoraServe.Cpu.Tests;

/// <summary>Runs alone, since it compares the process's native memory.</summary>
[Collection(nameof(NativeMemory))]
public sealed class CpuDeviceTests
{
    [Fact]
    public void Load_RandomModel_ThenDispose_GivesAllMemoryBack()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = NativeBuffer.AllocatedBytes - NativeBuffer.ScratchBytes;

        LoadedModel model = ModelLoader.Random(CpuDevice.Instance, "tiny", seed: 1);
        Assert.True(NativeBuffer.AllocatedBytes - NativeBuffer.ScratchBytes >= before + model.Transformer.ByteLength);
        model.Dispose();

        Assert.Equal(before, NativeBuffer.AllocatedBytes - NativeBuffer.ScratchBytes);
    }
}
