using System.Text;
using System.Text.Json;
using LoraServe.Adapters.Peft;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Text;

namespace LoraServe.Fuzz.Targets;

/// <summary>Regular expressions that files bring: of tokenizers, and for names of modules.</summary>
internal sealed class PatternTarget : FuzzTarget
{
    private const string FileName = "pattern.regex";
    private const string Tokenizer = "tokenizer.json";

    private static readonly string[] s_patterns =
    [
        @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+", @"(?<=a)b*?(?>c|d)+$", @"[\p{Han}&&[^一]]|\x{1F600}",
        @".*\.layers\.(0|1)\.self_attn\.(q|v)_proj", @"model\.layers\.(?P<n>\d+)\..*(?<!lora)$", "[a-z0-9_]+", @"(\w+\.)*(down|up)_proj\b",
    ];

    public override string Name => "pattern";

    public override void Read(string folder)
    {
        string pattern = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(folder, FileName)));
        File.WriteAllText(Path.Combine(folder, Tokenizer), TokenizerOf(pattern));
        Exception? refused = null;
        try
        {
            TokenizerTarget.Use(ModelText.Read(folder));
        }
        catch (Tokenization.Files.TokenizerFormatException exception)
        {
            // What the one does not take, the other may.
            refused = exception;
        }

        foreach (ModulePattern modules in (ReadOnlySpan<ModulePattern>)[ModulePattern.Whole(folder, pattern), ModulePattern.Tail(folder, pattern), ModulePattern.LayerNumber(folder, pattern)])
        {
            foreach (string path in (ReadOnlySpan<string>)["", "model.layers.0.self_attn.q_proj", string.Concat(Enumerable.Repeat("a.aaaa.b.0.", 40))])
            {
                _ = modules.IsMatch(path);
                _ = modules.Layer(path);
            }
        }

        if (refused is not null)
        {
            throw refused;
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() => s_patterns.Select((pattern, i) => Seed.Of($"{i}", FileName, Encoding.UTF8.GetBytes(pattern)));

    private static string TokenizerOf(string pattern) => JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["added_tokens"] = Array.Empty<object>(),
        ["normalizer"] = new Dictionary<string, object> { ["type"] = "Replace", ["pattern"] = new Dictionary<string, string> { ["Regex"] = pattern }, ["content"] = "_" },
        ["pre_tokenizer"] = new Dictionary<string, object> { ["type"] = "Split", ["pattern"] = new Dictionary<string, string> { ["Regex"] = pattern }, ["behavior"] = "Isolated", ["invert"] = false },
        ["post_processor"] = null,
        ["decoder"] = null,
        ["model"] = new Dictionary<string, object?> { ["type"] = "WordLevel", ["vocab"] = new Dictionary<string, int> { ["a"] = 0, ["[UNK]"] = 1 }, ["unk_token"] = "[UNK]" },
    });
}
