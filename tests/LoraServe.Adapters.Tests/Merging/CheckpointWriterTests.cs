using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Merging;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Merging;

public sealed class CheckpointWriterTests
{
    [Fact]
    public void Write_MergedModel_ReadsBackAsTheSameWeights()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        MergedModel merged = MergedModel.Create(model, new AdapterBuilder().AddPairs(model, 2, false, "q_proj", "v_proj").Load());
        using var folder = new TemporaryDirectory();
        File.Copy(LoraServe.Testing.Repository.Fixture("adapters/hostile/config/valid/config.json"), Path.Combine(folder.Path, "config.json"));
        CheckpointWriter.Write(Path.Combine(folder.Path, "model.safetensors"), merged);
        PlainModel read = PlainModel.Open(folder.Path);
        foreach (BaseModule module in model.Modules)
        {
            Assert.Equal(merged.Weight(module).Values, read.Weight(module).Values);
        }

        Assert.NotEqual(model.Weight(model.At(new Site(0, SiteRole.Query))).Values, read.Weight(model.At(new Site(0, SiteRole.Query))).Values);
        Assert.Empty(Directory.GetFiles(folder.Path, "*.partial"));
    }

    [Fact]
    public void TiedHead_AdapterThatEditsTheTable_IsNoLongerTied()
    {
        PlainModel model = AdapterBuilder.TinyBase;
        var builder = new AdapterBuilder();
        builder.Config["target_modules"] = "all-linear";
        builder.AddPairs(model, 2, false, "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");
        Assert.True(MergedModel.Create(model, builder.Load()).TiedHead);
        builder.Config["target_modules"] = "(.*_proj|.*embed_tokens)";
        builder.AddPairs(model, 2, false, "embed_tokens");
        Assert.False(MergedModel.Create(model, builder.Load()).TiedHead);
    }
}
