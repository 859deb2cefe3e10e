using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Methods.Lora;

public sealed class PeftWriterTests
{
    [Fact]
    public void Write_PairsOfSeveralRanksAndScales_LoadAsTheSame()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        var builder = new AdapterBuilder();
        builder.Config["target_modules"] = new JsonArray("q_proj", "v_proj", "embed_tokens");
        builder.Config["rank_pattern"] = new JsonObject { ["v_proj"] = 3 };
        builder.Config["alpha_pattern"] = new JsonObject { ["embed_tokens"] = 0.7 };
        Adapter adapter = builder.AddPairs(model, 2, false, "q_proj", "embed_tokens").AddPairs(model, 3, false, "v_proj").Load();
        using var folder = new TemporaryDirectory();
        PeftWriter.Write(folder.Path, [.. adapter.Edits.OfType<LowRank>()], model, "some/base");
        Adapter read = AdapterLoader.Load(folder.Path, model);
        Assert.Equal(adapter.Edits.Length, read.Edits.Length);
        foreach ((LowRank written, LowRank back) in adapter.Edits.Cast<LowRank>().Zip(read.Edits.Cast<LowRank>()))
        {
            Assert.Equal((written.Site, written.Scale), (back.Site, back.Scale));
            Assert.Equal(written.A.Values, back.A.Values);
            Assert.Equal(written.B.Values, back.B.Values);
        }

        AdapterInspection inspection = AdapterInspection.Read(folder.Path);
        Assert.Equal("some/base", inspection.BaseModel);
        Assert.Equal(["embed_tokens", "q_proj", "v_proj"], inspection.Targets.ToArray());
        Assert.Equal(read.Digest, inspection.Digest);
        Assert.Equal(6, inspection.Tensors.Length);
        Assert.Empty(Directory.GetFiles(folder.Path, "*.partial"));
    }
}
