using System.Text.Json;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests.Reference;

/// <summary>The cases that PEFT recorded.</summary>
internal static class PeftCases
{
    public const string Root = "fixtures/peft";

    /// <summary>A full path below the folder of the cases; skips the test where it is missing.</summary>
    public static string Require(string path) => SharedFiles.Require($"{Root}/{path}");

    /// <summary>Methods that can be read, as the index calls them.</summary>
    public static IReadOnlySet<string> Supported { get; } = new HashSet<string>
    {
        "LORA", "ADALORA", "VERA", "IA3", "LN_TUNING", "TRAINABLE_TOKENS", "PROMPT_TUNING", "P_TUNING", "CPT", "MULTITASK_PROMPT_TUNING", "PREFIX_TUNING", "ADAPTION_PROMPT", "BOTTLENECK (adapters)",
        "LOHA", "LOKR", "VBLORA", "SHIRA", "MISS", "HRA", "OFT", "BOFT", "FOURIERFT", "RANDLORA",
    };

    /// <summary>Paths of the cases on a Llama or Qwen2 base that <paramref name="wanted"/> picks; the first folder is the base.</summary>
    public static TheoryData<string> Where(Func<JsonElement, bool> wanted) =>
    [
        .. SharedFiles.Cases(
            Listed("index.json").Where(entry => entry.GetProperty("base").GetString() is "llama" or "qwen2" && wanted(entry)).Select(entry => entry.GetProperty("path").GetString()!)),
    ];

    /// <summary>The cases that an index lists; none where it is missing.</summary>
    public static IEnumerable<JsonElement> Listed(string index) =>
        SharedFiles.TryGet($"{Root}/{index}") is { } path ? JsonElement.Parse(File.ReadAllBytes(path)).GetProperty("cases").EnumerateArray() : [];

    /// <summary>Whether a case's method can be read.</summary>
    public static bool IsSupported(JsonElement entry) => Supported.Contains(entry.GetProperty("peft_type").GetString()!);

    /// <summary>The base of a case.</summary>
    public static PlainModel BaseOf(string path) => PlainModel.Open(Require($"bases/{path.Split('/')[0]}"));
}
