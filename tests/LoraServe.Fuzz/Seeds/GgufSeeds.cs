using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gguf;
using LoraServe.Compute.Files;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Seeds;

/// <summary>GGUF files: models, adapters, tokenizers alone.</summary>
internal static class GgufSeeds
{
    /// <summary>What each is called.</summary>
    public const string FileName = "model.gguf";

    /// <summary>Models.</summary>
    public static IEnumerable<Seed> Models() => Seed.Each(Repository.Fixture("files"), "*.gguf", FileName).Concat(Seed.Each(SharedFiles.TryGet("fixtures/gguf"), "*.gguf", FileName));

    /// <summary>An adapter of <see cref="MethodSeeds.Base"/>.</summary>
    public static IEnumerable<Seed> Adapters()
    {
        var random = new Random(3);
        using var folder = new TemporaryDirectory();
        LowRank[] pairs =
        [
            .. MethodSeeds.Base.Modules.Where(module => module.Site.Role is SiteRole.Query or SiteRole.Down)
                .Select(module => new LowRank(module.Site, Matrix(random, 2, module.Inputs), Matrix(random, module.Outputs, 2), 1)),
        ];
        GgufLoraWriter.Write(folder.File(FileName), pairs, MethodSeeds.Base, MethodSeeds.Base.Architecture, [1, 2]);
        yield return Seed.Of("lora", FileName, File.ReadAllBytes(folder.File(FileName)));
    }

    /// <summary>A small vocabulary for each kind of tokenizer.</summary>
    public static IEnumerable<Seed> Tokenizers()
    {
        string[] letters = [.. "abcdefghijklmnopqrstuvwxyz'▁Ġ".Select(letter => letter.ToString())];
        string[] special = ["<unk>", "<s>", "</s>", "<0x0A>", "[CLS]", "[SEP]", "▁the", "##ing", "ab", "in", "ing"];
        foreach (string model in (string[])["llama", "gpt2", "t5", "bert"])
        {
            string[] tokens = [.. special, .. letters];
            List<GgufEntry> metadata =
            [
                GgufEntry.Of("general.architecture", "llama"), GgufEntry.Of("tokenizer.ggml.model", model), GgufEntry.Of("tokenizer.ggml.pre", "llama-bpe"), GgufEntry.Of("tokenizer.ggml.tokens", tokens),
                GgufEntry.Of("tokenizer.ggml.token_type", [.. tokens.Select((_, i) => i switch { 0 => 2, < 3 => 3, 3 => 6, < 6 => 4, _ => 1 })]), GgufEntry.Of("tokenizer.ggml.merges", ["a b", "i n", "in g"]),
                GgufEntry.Of("tokenizer.ggml.bos_token_id", 1u), GgufEntry.Of("tokenizer.ggml.eos_token_id", 2u), GgufEntry.Of("tokenizer.ggml.unknown_token_id", 0u), GgufEntry.Of("tokenizer.ggml.add_bos_token", true),
                GgufEntry.Of("tokenizer.ggml.add_space_prefix", true), GgufEntry.Of("tokenizer.chat_template", "{% for m in messages %}{{ m.content }}{% endfor %}"),
            ];
            using var folder = new TemporaryDirectory();
            GgufWriter.Write(folder.File(FileName), metadata, []);

            // An array of floating-point numbers is nothing that the writer is ever asked for.
            Mutation.GgufLayout layout = Mutation.GgufLayout.Parse(File.ReadAllBytes(folder.File(FileName)))!;
            layout.Values.Add(("tokenizer.ggml.scores"u8.ToArray(), 9, [.. BitConverter.GetBytes(6), .. BitConverter.GetBytes((ulong)tokens.Length), .. tokens.SelectMany((_, i) => BitConverter.GetBytes(-(float)i))]));
            yield return Seed.Of(model, FileName, layout.ToBytes());
        }
    }

    private static FloatMatrix Matrix(Random random, int rows, int columns) => new(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)]);
}
