using System.Text;
using LoraServe.Fuzz.Seeds;
using LoraServe.Grammars;
using LoraServe.Grammars.Masks;
using LoraServe.Grammars.Rules;

namespace LoraServe.Fuzz.Targets;

/// <summary>What requests constrain their answers by: JSON schemas, regular expressions, grammars and choices; what is read is followed for some bytes.</summary>
internal sealed class GrammarTarget : FuzzTarget
{
    private const string Schema = "schema.json";
    private const string Pattern = "pattern.regex";
    private const string Rules = "grammar.gbnf";
    private const string Choices = "choices.txt";
    private const int MostBytes = 200;

    /// <summary>A token for each byte, and some of several.</summary>
    private static readonly TokenVocabulary s_vocabulary = new(
    [
        .. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }),
        .. new[] { "\":", "\", \"", "\"}", "}}", "[[", "the ", "0123", "é€", "((", "aaa" }.Select(Encoding.UTF8.GetBytes),
    ]);

    private static readonly string[] s_schemas =
    [
        """
        {"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":9},"age":{"type":"integer","minimum":-3,"exclusiveMaximum":130},
        "size":{"type":["number","null"],"maximum":2.75}},"required":["name"],"additionalProperties":{"type":"boolean"}}
        """,
        """{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"v":{"enum":["a",1,null,{"x":[2]}]},"next":{"anyOf":[{"$ref":"#/$defs/tree"},{"type":"null"}]}}}}}""",
        """{"allOf":[{"type":"array","prefixItems":[{"const":"é\n"},true],"minItems":1},{"items":{"format":"date-time"},"maxItems":4}]}""",
        """{"oneOf":[{"type":"string","pattern":"^[a-c\"]{2,5}(x|\\d)$"},{"type":"string","format":"email"},{"type":"object","required":["q"]}],"description":"d"}""",
    ];

    private static readonly string[] s_patterns = [@"^(?:[A-Z][a-zé]+|\d{2,4})(?:-[^\s\d]{1,3})*?$", @"\u20ac\x41[\]\-€-😀]+|\D\W\S.", "(a|b)*a(a|b){40}", "(?<n>((x?){9}){9})+"];

    private static readonly string[] s_grammars =
    [
        "root ::= (expr \"=\" term \"\\n\")+ # sums\nexpr ::= term ([-+*/] term)*\nterm ::= [a-z] [a-z0-9_]* | \"(\" expr \")\" | num{1,3}\nnum ::= [0-9]+ \".\"?\n",
        "root ::= \"a\" root \"b\" | \"a\" root root | x\nx ::= [^\\x41-\\u00e9]{2,} | \"\\U0001F600\" . | \"\"\n",
    ];

    public override string Name => "grammar";

    public override void Read(string folder)
    {
        string path = Directory.GetFiles(folder).Single();
        string file = Path.GetFileName(path);
        string text = Encoding.UTF8.GetString(File.ReadAllBytes(path));
        try
        {
            Follow(file switch
            {
                Schema => Grammar.FromJsonSchema(text),
                Pattern => Grammar.FromRegex(text),
                Rules => Grammar.FromGbnf(text),
                _ => Grammar.FromChoices(text.Split('\n')),
            });
        }
        catch (GrammarException refused)
        {
            // A request names fields, not files.
            throw new InvalidDataException($"{file}: {refused.Message}", refused);
        }
    }

    protected override IEnumerable<Seed> MakeSeeds() =>
    [
        .. Of(Schema, s_schemas), .. Of(Pattern, s_patterns), .. Of(Rules, s_grammars), .. Of(Choices, ["yes\nno\nperhaps é", "a\naa\naaa"]),
    ];

    private static IEnumerable<Seed> Of(string file, string[] texts) => texts.Select((text, i) => Seed.Of($"{file}-{i}", file, Encoding.UTF8.GetBytes(text)));

    /// <summary>Writes what the grammar allows: of the tokens that may come next another one each time.</summary>
    private static void Follow(Grammar grammar)
    {
        GrammarMatcher matcher = grammar.Compile(s_vocabulary).CreateMatcher();
        for (int i = 0; i < MostBytes && !matcher.IsComplete; i++)
        {
            ReadOnlySpan<ulong> mask = matcher.AllowedTokens();
            int token = -1;
            for (int j = 0; j < s_vocabulary.Count && token < 0; j++)
            {
                int candidate = ((i * 89) + j) % s_vocabulary.Count;
                token = (mask[candidate >> 6] >> (candidate & 63) & 1) != 0 ? candidate : -1;
            }

            if (token < 0 || !matcher.TryAccept(token))
            {
                throw new InvalidOperationException($"After {i} tokens none can come next, or one that is allowed is not taken.");
            }
        }
    }
}
