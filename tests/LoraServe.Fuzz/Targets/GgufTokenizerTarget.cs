using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Text;

namespace LoraServe.Fuzz.Targets;

/// <summary>GGUF files as tokenizers with chat templates.</summary>
internal sealed class GgufTokenizerTarget : FuzzTarget
{
    public override string Name => "gguf-tokenizer";

    public override void Read(string folder) => TokenizerTarget.Use(ModelText.Read(Path.Combine(folder, GgufSeeds.FileName)));

    protected override IEnumerable<Seed> MakeSeeds() => [.. GgufSeeds.Tokenizers(), .. GgufSeeds.Models()];
}
