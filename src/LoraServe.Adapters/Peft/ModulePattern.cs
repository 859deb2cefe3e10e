using System.Text.RegularExpressions;

namespace LoraServe.Adapters.Peft;

/// <summary>A regular expression from a file, matched without letting a hostile one hang the process.</summary>
/// <remarks>
/// Matching takes time linear in the name; only expressions that need backtracking (look-around, back-references) run
/// against a clock instead.
/// </remarks>
internal sealed class ModulePattern
{
    private const int MaxLength = 16_384;
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(200);
    private readonly string _file;
    private readonly string _pattern;
    private readonly Regex _regex;

    private ModulePattern(string file, string pattern, string expression)
    {
        _file = file;
        _pattern = pattern;
        if (pattern.Length > MaxLength)
        {
            throw new AdapterFormatException($"{file}: a pattern for module names is {pattern.Length} characters long; expected at most {MaxLength}. Name the modules in a list instead.");
        }

        // Python writes named groups (?P<name>…).
        expression = expression.Replace("(?P<", "(?<", StringComparison.Ordinal);
        try
        {
            _regex = Build(expression);
        }
        catch (ArgumentException invalid)
        {
            throw new AdapterFormatException($"{file}: pattern '{Shown}' for module names is not a regular expression ({invalid.Message}). Correct it or name the modules in a list.", invalid);
        }
    }

    private string Shown => _pattern.Length <= 80 ? _pattern : $"{_pattern[..80]}…";

    /// <summary>A pattern that a whole name must match.</summary>
    public static ModulePattern Whole(string file, string pattern) => new(file, pattern, $@"\A(?:{pattern})\z");

    /// <summary>A pattern that a name must match from a part's start to its end: <c>(.*\.)?(pattern)$</c>.</summary>
    public static ModulePattern Tail(string file, string pattern) => new(file, pattern, $@"\A(?:.*\.)?(?:{pattern})$");

    /// <summary>A pattern that finds the layer number: group 1 of <c>.*\.pattern\.(\d+)\.</c>.</summary>
    public static ModulePattern LayerNumber(string file, string pattern) => new(file, pattern, $@"\A.*\.(?:{pattern})\.(?<layer>[0-9]+)\.");

    /// <summary>Whether a module's path matches.</summary>
    public bool IsMatch(string path) => Match(path).Success;

    /// <summary>The layer number that <see cref="LayerNumber"/> finds; null where there is none.</summary>
    public int? Layer(string path) => Match(path) is { Success: true } match && int.TryParse(match.Groups["layer"].Value, out int layer) ? layer : null;

    private static Regex Build(string expression)
    {
        try
        {
            return new Regex(expression, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (NotSupportedException)
        {
            return new Regex(expression, RegexOptions.CultureInvariant, s_patience);
        }
    }

    private Match Match(string path)
    {
        try
        {
            return _regex.Match(path);
        }
        catch (RegexMatchTimeoutException)
        {
            throw new AdapterFormatException($"{_file}: pattern '{Shown}' takes too long to match '{path}'. Name the modules in a list instead.");
        }
    }
}
