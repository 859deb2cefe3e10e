using System.Diagnostics;
using System.Globalization;
using LoraServe.Cpu;
using LoraServe.Grammars;
using LoraServe.Grammars.Masks;
using LoraServe.Models;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;
using LoraServe.Tokenization;

namespace LoraServe.Benchmarks.Constraints;

/// <summary>What constrained answers cost: compiling a schema, and masks as a share of a step.</summary>
internal static class ConstraintReport
{
    private const int Batch = 32;
    private const int Tokens = 96;

    private const string Schema = """
        {"type":"object","properties":{"title":{"type":"string"},"year":{"type":"integer","minimum":1900,"maximum":2100},"kind":{"enum":["book","film","song"]},
        "people":{"type":"array","minItems":12,"items":{"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":40},"role":{"type":"string"},
        "born":{"type":"string","format":"date"},"score":{"type":"number","minimum":0,"maximum":10}},"required":["name","role"]}},"notes":{"type":["string","null"]}},
        "required":["title","year","people","notes"],"additionalProperties":false}
        """;

    /// <summary>Measures on a model.</summary>
    /// <param name="output">Where the report goes.</param>
    /// <param name="path">The model.</param>
    public static async Task PrintAsync(TextWriter output, string path)
    {
        using LoadedModel model = ModelLoader.Load(CpuDevice.Instance, path);
        Tokenizer tokenizer = model.Tokenizer ?? throw new ArgumentException($"{path} has no tokenizer.");
        long begun = Stopwatch.GetTimestamp();
        TokenBytes bytes = tokenizer.TryGetBytes() ?? throw new ArgumentException($"The tokens of {path} have no bytes of their own.");
        var vocabulary = new TokenVocabulary(bytes.Tokens, bytes.FirstTokens);
        Write(output, $"{vocabulary.Count} tokens laid out: {Milliseconds(begun):0.0} ms, once for a model");
        for (int i = 0; i < 3; i++)
        {
            begun = Stopwatch.GetTimestamp();
            CompiledGrammar compiled = Grammar.FromJsonSchema(Schema).Compile(vocabulary);
            double made = Milliseconds(begun);
            _ = compiled.CreateMatcher().AllowedTokens();
            Write(output, $"schema of {Schema.Length} characters: {made:0.0} ms, with its first mask {Milliseconds(begun):0.0} ms");
        }

        await using var engine = new InferenceEngine(model, new EngineOptions { PrefixCache = false });
        await RunAsync(engine, model, null);
        await RunAsync(engine, model, Constraint.JsonSchema(Schema));
        var free = await RunAsync(engine, model, null);
        var bound = await RunAsync(engine, model, Constraint.JsonSchema(Schema));
        double step = 1000 * free.Seconds / Tokens;
        Write(output, $"{Batch} sequences of {Tokens} tokens: {Batch * Tokens / free.Seconds:0} tokens/s, {bound.Answers.Sum(answer => answer.Count) / bound.Seconds:0} constrained");

        CompiledGrammar grammar = Grammar.FromJsonSchema(Schema).Compile(vocabulary);
        float[] row = new float[model.Transformer.VocabularySize];
        foreach (string round in (string[])["new", "seen before"])
        {
            GrammarMatcher[] matchers = [.. bound.Answers.Select(_ => grammar.CreateMatcher())];
            double worst = 0;
            begun = Stopwatch.GetTimestamp();
            for (int i = 0; i < Tokens; i++)
            {
                long one = Stopwatch.GetTimestamp();
                for (int j = 0; j < matchers.Length; j++)
                {
                    if (i < bound.Answers[j].Count)
                    {
                        ConstrainedLogits.Mask(matchers[j], [], row);
                        _ = matchers[j].TryAccept(bound.Answers[j][i]);
                    }
                }

                worst = Math.Max(worst, Milliseconds(one));
            }

            double mean = Milliseconds(begun) / Tokens;
            Write(output, $"states {round}: {mean:0.00} ms a step on one thread, {100 * mean / step:0.0} % of {step:0.0} ms; the worst step {worst:0.0} ms");
        }
    }

    private static async Task<(double Seconds, List<int>[] Answers)> RunAsync(InferenceEngine engine, LoadedModel model, Constraint? constraint)
    {
        var random = new Random(1);
        var sampling = new SamplingOptions { MaxTokens = Tokens, IgnoreEndToken = true, Temperature = 0.7f, Seed = 1, Constraint = constraint };
        long begun = Stopwatch.GetTimestamp();
        List<int>[] answers = await Task.WhenAll(Enumerable.Range(0, Batch).Select(async _ =>
        {
            int[] prompt = [.. Enumerable.Range(0, 4).Select(_ => random.Next(model.Transformer.VocabularySize))];
            List<int> tokens = [];
            await foreach (GeneratedToken token in await engine.GenerateAsync(new GenerationRequest { PromptTokens = prompt, Sampling = sampling }))
            {
                tokens.Add(token.TokenId);
            }

            return tokens;
        }));
        return (Stopwatch.GetElapsedTime(begun).TotalSeconds, answers);
    }

    private static double Milliseconds(long since) => Stopwatch.GetElapsedTime(since).TotalMilliseconds;

    private static void Write(TextWriter output, FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
