using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Json.Schema;
using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Tests.Schemas;

/// <summary>Whatever a model chooses, the answer parses and satisfies its schema, by the word of another library.</summary>
public sealed partial class RandomSchemaTests
{
    private static readonly EvaluationOptions s_options = new() { RequireFormatValidation = true };

    public static TheoryData<string> Tokenizers => [.. Vocabularies.Names];

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Answers_OfRandomSchemas_ParseAndSatisfyThem(string tokenizer) => Compare(tokenizer, 11, 60);

    [Theory]
    [Trait("Category", "Long")]
    [MemberData(nameof(Tokenizers))]
    public void Answers_OfManyRandomSchemas_ParseAndSatisfyThem(string tokenizer) => Compare(tokenizer, 1000, 1000);

    private static bool Satisfies(JsonSchema validator, JsonDocument answer)
    {
        try
        {
            return validator.Evaluate(answer.RootElement, s_options).IsValid;
        }
        catch (FormatException)
        {
            return true; // A number that is none of its decimals: it parses, and more the library cannot tell.
        }
    }

    /// <summary>The same with a letter for each character beyond ASCII: the library counts a letter and its accents as one, and has other blanks, than JSON schema's words say.</summary>
    private static string Plain(string json) => Beyond().Replace(json, part => part.Value switch
    {
        ['\\', 'u', ..] escape => part.Length > 6 || Convert.ToInt32(escape[2..6], 16) > 0x7F ? "x" : escape.EndsWith("000d", StringComparison.OrdinalIgnoreCase) ? "\\n" : escape,
        "\\r" => "\\n", // With a line feed behind it, it is one, too.
        ['\\', ..] escape => escape,
        _ => "x",
    });

    [GeneratedRegex(@"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\x00-\x7F]")]
    private static partial Regex Beyond();

    private static void Compare(string tokenizer, int seed, int count)
    {
        int refused = 0;
        int endless = 0;
        for (int i = 0; i < count; i++)
        {
            Random random = new(seed + i);
            string schema = new RandomSchema(random).Next().ToJsonString();
            CompiledGrammar grammar;
            try
            {
                grammar = Grammar.FromJsonSchema(schema).Compile(Vocabularies.Of(tokenizer));
            }
            catch (GrammarException error) when (error.Message.Contains("no text satisfies it", StringComparison.Ordinal) || error.Message.Contains("begins with itself", StringComparison.Ordinal))
            {
                refused++; // A schema may contradict itself, or be no more than itself.
                continue;
            }

            var validator = JsonSchema.FromText(schema);
            for (int answer = 0; answer < 3; answer++)
            {
                if (new RandomModel(random).Answer(grammar, []) is not { } bytes)
                {
                    endless++; // A pattern asks for what chance writes seldom.
                    continue;
                }

                string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
                using var document = JsonDocument.Parse(text);
                using var plain = JsonDocument.Parse(Plain(text));
                Assert.True(Satisfies(validator, document) || Satisfies(JsonSchema.FromText(Plain(schema)), plain), $"seed {seed + i}: {schema}\n{text}");
            }
        }

        Assert.True(refused < count / 5, $"{refused} of {count} schemas were refused");
        Assert.True(endless < count / 5, $"{endless} of {3 * count} answers had no end");
    }
}
