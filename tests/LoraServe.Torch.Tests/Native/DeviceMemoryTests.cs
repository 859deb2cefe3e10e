using LoraServe.Adapters.Edits;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;
using LoraServe.Torch.Native;

namespace LoraServe.Torch.Tests.Native;

/// <summary>Memory is spoken for before it is allocated, and what does not fit is refused.</summary>
public sealed class DeviceMemoryTests
{
    [Fact]
    public void Reserve_BeyondTheLimit_NamesWhatIsNeededAndLeft()
    {
        var memory = new DeviceMemory("cuda:0", 10 << 20);
        using IDisposable first = memory.Reserve(8 << 20, "the weights", "expected more");
        DeviceException refusal = Assert.Throws<DeviceException>(() => memory.Reserve(4 << 20, "the pages", "expected a smaller cache"));
        Assert.Equal("the pages need 4.0 MiB of cuda:0's memory, and 2.0 MiB of 10.0 MiB are left; expected a smaller cache.", refusal.Message);
        first.Dispose();
        first.Dispose();
        Assert.Equal(0, memory.Reserved);
        memory.Reserve(10 << 20, "the weights", "").Dispose();
    }

    [SkippableFact]
    public void Load_WeightsBeyondTheLimit_AreRefusedBeforeTheyAreAllocated()
    {
        TorchDevice device = OpenTorch.With(new TorchDeviceOptions { MemoryBytes = 100_000 });
        Assert.Contains("the weights need", Assert.Throws<DeviceException>(() => TinyModel.Create(1, device: device)).Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void CreateRunner_PagesBeyondTheLimit_AreRefused()
    {
        using Transformer model = TinyModel.Create(1, device: OpenTorch.With(new TorchDeviceOptions { MemoryBytes = 4 << 20 }));
        using var pool = new WorkerPool(1);
        Assert.Contains("pages", Assert.Throws<DeviceException>(() => model.CreateRunner(pool, 100_000, ElementType.F32)).Message, StringComparison.Ordinal);
        model.CreateRunner(pool, 16, ElementType.F32).Dispose();
    }

    [SkippableFact]
    public void Place_AdapterBeyondTheLimit_IsRefused_AndRoomComesBackWithOthers()
    {
        using Transformer model = TinyModel.Create(1, device: OpenTorch.With(new TorchDeviceOptions { MemoryBytes = 1 << 20 }));
        AdapterEdit[] edits = [new DenseDelta(Site.Head, new FloatMatrix(model.VocabularySize, model.Width))];
        var placed = new List<ResidentAdapter>();
        Assert.ThrowsAny<OutOfMemoryException>(() =>
        {
            while (placed.Count < 1000)
            {
                placed.Add(model.Place(edits));
            }
        });
        Assert.NotEmpty(placed);
        placed[0].Dispose();
        placed[0] = model.Place(edits);
        placed.ForEach(adapter => adapter.Dispose());
    }
}
