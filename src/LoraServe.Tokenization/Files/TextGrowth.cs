namespace LoraServe.Tokenization.Files;

/// <summary>How many times as long a text can become in a chain of components, of which each makes it longer by a factor: a file of a few lines could make gigabytes of a word.</summary>
internal static class TextGrowth
{
    private const long Most = 1024;

    /// <summary>A character's bytes, each a character again.</summary>
    private const long OfBytes = 3;

    /// <summary>What a compiled map makes of a character in files that are used; one that makes more is there once.</summary>
    private const long OfMap = 16;

    /// <summary>Refuses a component, with all that it is made of, that lets texts grow without sense.</summary>
    public static void Check(JsonNode component)
    {
        double growth = Of(component);
        if (growth > Most)
        {
            throw component.Refused(FormattableString.Invariant($"its steps together can make a text {growth:g3} times as long; expected at most {Most}"));
        }
    }

    private static double Of(JsonNode component) => component["type"].AsString() switch
    {
        "Sequence" => ((string[])["normalizers", "pretokenizers", "decoders"]).Select(component.Find).OfType<JsonNode>().SelectMany(steps => steps.Items()).Aggregate(1.0, (product, step) => product * Of(step)),
        "ByteLevel" => OfBytes,
        "Precompiled" => OfMap,
        "Replace" => OfReplacement(component),
        _ => 1,
    };

    // An expression may match nothing at all, before every character.
    private static double OfReplacement(JsonNode component) =>
        Math.Max(1, component["content"].AsString().Length + (component["pattern"] is { IsObject: true } pattern && pattern.Find("Regex") is not null ? 1 : 0));
}
