namespace LoraServe.Architecture.Tests;

/// <summary>Reports every place that breaks a rule, with the rule.</summary>
internal static class Rule
{
    public static void Holds(string rule, IEnumerable<string> violations)
    {
        string[] found = [.. violations];
        Assert.True(found.Length == 0, $"{rule}\n  {string.Join("\n  ", found)}");
    }
}
