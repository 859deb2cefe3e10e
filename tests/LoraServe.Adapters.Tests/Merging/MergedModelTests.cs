using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Tests.Reference;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Merging;

public sealed class MergedModelTests
{
    public static TheoryData<string> Mergeable() => PeftCases.Where(entry => PeftCases.IsSupported(entry) && entry.GetProperty("mergeable").GetBoolean());

    [SkippableTheory]
    [MemberData(nameof(Mergeable))]
    public void Create_MergeableCaseOfTheReference_GivesItsMergedLogits(string path)
    {
        string directory = PeftCases.Require(path);
        PlainModel model = PeftCases.BaseOf(path);
        MergedModel merged = MergedModel.Create(model, AdapterLoader.Load(directory, model));
        GoldenLogits.Check(new PlainForward(model.Spec, merged), Path.Combine(directory, "expected.safetensors"), greedy: false, logits: "merged.logits");
    }

    [SkippableFact]
    public void Create_AdapterThatIsActiveInAPartOnly_IsRefused()
    {
        PlainModel model = PeftCases.BaseOf("llama");
        Adapter adapter = AdapterLoader.Load(PeftCases.Require("llama/alora"), model);
        Assert.Contains("aLoRA", Assert.Throws<MergeException>(() => MergedModel.Create(model, adapter)).Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("llama/prompt-tuning", "virtual tokens")]
    [InlineData("llama/prefix-tuning", "keys and values")]
    [InlineData("llama/adaption-prompt", "keys and values that attention reads beside")]
    [InlineData("llama/bottleneck-houlsby", "layers of its own")]
    public void Create_AdapterThatChangesNoWeight_IsRefused(string path, string what)
    {
        PlainModel model = PeftCases.BaseOf(path);
        Adapter adapter = AdapterLoader.Load(PeftCases.Require(path), model);
        Assert.Contains(what, Assert.Throws<MergeException>(() => MergedModel.Create(model, adapter)).Message, StringComparison.Ordinal);
    }
}
