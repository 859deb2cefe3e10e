using System.Text;
using Xunit;

namespace LoraServe.Testing;

/// <summary>A table of README.md that a test makes of what is built, between two comments that name it.</summary>
public static class ReadmeTable
{
    private const string Accept = "LORASERVE_ACCEPT_README";

    /// <summary>Compares, or rewrites the table where the environment asks for it.</summary>
    /// <param name="name">What the comments around it call it.</param>
    /// <param name="columns">Its head.</param>
    /// <param name="rows">What is true now: a row a thing, each with as many cells as there are columns.</param>
    public static void Check(string name, string[] columns, IEnumerable<string[]> rows)
    {
        string file = Path.Combine(Repository.Root, "README.md");
        string readme = File.ReadAllText(file).ReplaceLineEndings("\n");
        (string begin, string end) = ($"<!-- {name} -->\n", $"<!-- end of {name} -->");
        int first = readme.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        int last = readme.IndexOf(end, StringComparison.Ordinal);
        Assert.True(first >= begin.Length && last >= first, $"README.md has no place for a table between {begin.Trim()} and {end}.");
        string table = Text(columns, rows);
        if (Environment.GetEnvironmentVariable(Accept) == "1")
        {
            File.WriteAllText(file, readme[..first] + table + readme[last..]);
            return;
        }

        Assert.True(readme[first..last] == table, $"README.md's table of {name} is not what is built. If the change is meant, run this test once with {Accept}=1. It would be:\n{table}");
    }

    private static string Text(string[] columns, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();
        foreach (string[] row in rows.Prepend([.. columns.Select(_ => "---")]).Prepend(columns))
        {
            Assert.Equal(columns.Length, row.Length);
            text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        }

        return text.ToString();
    }
}
