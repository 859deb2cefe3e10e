using System.Text.Json;
using System.Text.RegularExpressions;

namespace LoraServe.EmbeddedBase;

/// <summary>The rows that the base learns to write, made of the train splits of data sets whose licences permit it.</summary>
/// <remarks>
/// It sees the words of the demonstration's tasks and not their form: tables are given as facts between bars, descriptions
/// stand without a table, and of voice commands there is only the command. The rest is what adapters learn.
/// </remarks>
internal static partial class PretrainingText
{
    private const int TablesOfAKeptOne = 5;

    /// <summary>The rows, in the order of the files.</summary>
    /// <param name="directory">Holds <c>e2e</c>, <c>banking77</c>, <c>snips</c>, <c>gsm8k</c> and <c>roleplay</c>, each <c>.train.jsonl</c>.</param>
    /// <param name="longRows">Most rows of <c>gsm8k</c> and of <c>roleplay</c>.</param>
    public static IReadOnlyList<string> Rows(string directory, int longRows) =>
    [
        .. Tables(directory).Select(row => $"Facts: {Facts(Text(row, "prompt"))}\nText:{Text(row, "completion")}"),
        .. Tables(directory).Where((_, index) => index % 2 == 0).Select(row => $"Description:{Text(row, "completion")}"),
        .. Read(directory, "banking77.train").Select(row => Text(row, "prompt") + Text(row, "completion")),
        .. Read(directory, "snips.train").Select(row => Text(row, "prompt").Split('\n')[0]),
        .. Read(directory, "gsm8k.train").Take(longRows).Select(Conversation),
        .. Read(directory, "roleplay.train").Take(longRows).Select(Conversation),
    ];

    /// <summary>The tables, with descriptions, that the base and the adapters may learn from.</summary>
    public static IEnumerable<JsonElement> Tables(string directory)
    {
        HashSet<string> kept = KeptTables(directory);
        return Read(directory, "e2e.train").Where(row => !kept.Contains(Table(row)));
    }

    /// <summary>Tables of the same restaurants that nothing learns from, with one description each.</summary>
    public static IEnumerable<JsonElement> OtherTables(string directory)
    {
        HashSet<string> kept = KeptTables(directory);
        return Read(directory, "e2e.train").Where(row => kept.Contains(Table(row))).DistinctBy(Table);
    }

    /// <summary>Text of the demonstration's form, for which the vocabulary has tokens too.</summary>
    public static IEnumerable<string> Forms(string directory) => [.. Read(directory, "e2e.train").Select(row => Text(row, "prompt")), .. Read(directory, "snips.train").Select(row => Text(row, "completion"))];

    /// <summary>A table such as <c>name[The Eagle], food[Japanese]</c> as its values between bars.</summary>
    public static string Facts(string table) =>
        string.Join(" | ", Attribute().Matches(table).Select(match => match.Groups["name"].Value != "familyFriendly" ? match.Groups["value"].Value
            : match.Groups["value"].Value == "yes" ? "family friendly" : "not family friendly"));

    /// <summary>Tables that are kept from learning. Half of the restaurants of the eval split have other names, which so small a model cannot copy.</summary>
    private static HashSet<string> KeptTables(string directory)
    {
        string[] tables = [.. Read(directory, "e2e.train").Select(Table).Distinct()];
        return [.. tables.TakeLast(tables.Length / TablesOfAKeptOne)];
    }

    private static string Table(JsonElement row) => Text(row, "prompt");

    private static string Conversation(JsonElement row) =>
        string.Join('\n', row.GetProperty("messages").EnumerateArray().Select(message => $"{Text(message, "role")}: {Text(message, "content")}"));

    /// <summary>The rows of a file.</summary>
    public static IEnumerable<JsonElement> Read(string directory, string name) =>
        File.ReadLines(Path.Combine(directory, $"{name}.jsonl")).Select(line => JsonElement.Parse(line));

    /// <summary>A row's text of a name.</summary>
    public static string Text(JsonElement row, string field) => row.GetProperty(field).GetString()!;

    [GeneratedRegex(@"(?<name>\w[\w ]*)\[(?<value>[^\]]*)\]")]
    private static partial Regex Attribute();
}
