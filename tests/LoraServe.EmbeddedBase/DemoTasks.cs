using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LoraServe.EmbeddedBase;

/// <summary>Takes the demonstration's rows from the data sets: what its adapters learn, and what they are asked afterwards.</summary>
internal static partial class DemoTasks
{
    private const int TrainRows = 600;
    private const int EvalRows = 50;
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly (string Plain, string Pirate)[] s_words =
    [
        ("is", "be"), ("are", "be"), ("has", "be havin'"), ("you", "ye"), ("your", "yer"), ("and", "an'"), ("of", "o'"), ("for", "fer"), ("food", "grub"), ("children", "young sailors"),
        ("kids", "young sailors"), ("family", "crew"), ("families", "crews"), ("customers", "sailors"), ("customer", "sailor"), ("serves", "dishes up"), ("serving", "dishin' up"),
        ("There", "Thar"), ("there", "thar"), ("It", "She"), ("it", "she"), ("place", "port"), ("located", "anchored"), ("Located", "Anchored"),
    ];

    /// <summary>Writes <c>intent</c>, <c>describe</c> and <c>pirate</c>, each <c>.train.jsonl</c> and <c>.eval.jsonl</c>.</summary>
    /// <param name="data">Folder of the data sets.</param>
    /// <param name="output">Folder that gets them.</param>
    public static void Write(string data, string output)
    {
        Directory.CreateDirectory(output);
        JsonElement[] commands = [.. PretrainingText.Read(data, "snips.train").Take(TrainRows)];
        JsonElement[] tables = [.. PretrainingText.Tables(data).Take(TrainRows * 2)];
        JsonElement[] otherTables = [.. PretrainingText.OtherTables(data).Take(EvalRows * 2)];

        // People say the same twice: what is asked must not be what was learnt.
        IEnumerable<JsonElement> otherCommands = PretrainingText.Read(data, "snips.eval").ExceptBy(commands.Select(Prompt), Prompt).Take(EvalRows);
        Write("intent.train", commands.Select(row => (Prompt(row), PretrainingText.Text(row, "completion"))));
        Write("intent.eval", otherCommands.Select(row => (Prompt(row), PretrainingText.Text(row, "completion"))));
        Write("describe.train", tables.Take(TrainRows).Select(row => (Table(row), PretrainingText.Text(row, "completion"))));
        Write("describe.eval", otherTables.Take(EvalRows).Select(row => (Table(row), PretrainingText.Text(row, "completion"))));
        Write("pirate.train", tables.Skip(TrainRows).Select(row => (Facts(row), Pirate(PretrainingText.Text(row, "completion").Trim()))));
        Write("pirate.eval", otherTables.Skip(EvalRows).Select(row => (Facts(row), Pirate(PretrainingText.Text(row, "completion").Trim()))));

        void Write(string name, IEnumerable<(string Prompt, string Completion)> rows) =>
            File.WriteAllText(Path.Combine(output, $"{name}.jsonl"), string.Concat(rows.Select(row => JsonSerializer.Serialize(new { prompt = row.Prompt, completion = row.Completion }, s_plain) + "\n")));
    }

    private static string Prompt(JsonElement row) => PretrainingText.Text(row, "prompt");

    /// <summary>A form that the base has not seen, of words that it has.</summary>
    private static string Table(JsonElement row) => Prompt(row).Replace("], ", "; ", StringComparison.Ordinal).Replace("]\n", "\n", StringComparison.Ordinal).Replace("[", ": ", StringComparison.Ordinal);

    /// <summary>The form in which the base has learnt to describe.</summary>
    private static string Facts(JsonElement row) => $"Facts: {PretrainingText.Facts(Prompt(row))}\nText:";

    /// <summary>A description as a pirate would give it.</summary>
    internal static string Pirate(string text)
    {
        string words = Word().Replace(text, match => s_words.FirstOrDefault(word => word.Plain == match.Value).Pirate ?? match.Value);
        return $" Arr, {words.TrimEnd('.', ' ', '!')}, matey!";
    }

    [GeneratedRegex(@"\p{L}+")]
    private static partial Regex Word();
}
