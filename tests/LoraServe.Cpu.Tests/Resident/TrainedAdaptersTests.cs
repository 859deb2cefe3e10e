using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Models;
using LoraServe.Models.Forward;
using LoraServe.Testing;

namespace LoraServe.Cpu.Tests.Resident;

/// <summary>The adapters that were trained for the small published model load on it.</summary>
[Trait("Category", "RealModel")]
public sealed class TrainedAdaptersTests
{
    [SkippableFact]
    public void Load_EveryTrainedAdapter_MatchesAllItsTargets()
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, SharedFiles.Require("models/smollm2-135m-instruct-q4_1.gguf"), new ModelLoadOptions());
        int loaded = 0;
        foreach (string name in SharedFiles.FolderNames("adapters"))
        {
            string directory = SharedFiles.Require($"adapters/{name}");
            if (!File.Exists(Path.Combine(directory, "adapter_config.json")))
            {
                continue;
            }

            Adapter adapter = AdapterLoader.Load(directory, model.Transformer);
            using ResidentAdapter resident = model.Transformer.Place(adapter);
            Assert.Empty(adapter.Report.UnmatchedModules);
            Assert.True(resident.ByteLength + resident.SharedParts.Sum(part => part.Bytes) >= adapter.ByteLength);
            Assert.All(adapter.Report.DeltaNorms.Values, norm => Assert.True(norm > 0));
            loaded++;
        }

        Assert.True(loaded > 0);
    }
}
