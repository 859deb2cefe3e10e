using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LoraServe.Adapters;
using LoraServe.Adapters.Loading;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Compute.Files;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve logits</c>: what the model computes for given tokens, for comparison with other engines.</summary>
internal static class LogitsVerb
{
    /// <summary>Rows computed at once: enough to reach full speed, few enough that their logits stay small.</summary>
    private const int ChunkRows = 128;

    public static Command Create()
    {
        var model = new ModelArguments();
        var adapter = new Option<string>("--adapter") { Description = "A PEFT directory or GGUF file to apply.", HelpName = "[NAME=]DIR[#TASK]" };
        var tokens = new Option<string>("--tokens") { Description = "A JSON array of arrays of token ids.", Required = true, HelpName = "FILE.json" };
        var output = new Option<string>("--out") { Description = "Where to write the tensors logits.0, logits.1, … [tokens, vocabulary].", Required = true, HelpName = "FILE.safetensors" };
        var verb = new Command("logits", "Write the logits of given tokens to a safetensors file.");
        model.AddTo(verb);
        verb.Add(adapter);
        verb.Add(tokens);
        verb.Add(output);
        verb.SetAction(arguments =>
        {
            NamedAdapter? named = arguments.GetValue(adapter) is { } text ? NamedAdapter.Parse(text) : null;
            int[][] sequences = ReadTokens(arguments.GetValue(tokens)!);
            using LoadedModel loaded = model.Load(arguments);
            using var pool = new WorkerPool(model.Threads(arguments));
            Adapter? parsed = named is null ? null : AdapterLoader.Load(named.Path, loaded.Transformer);
            if (parsed is not null)
            {
                if (AdapterTask.Refusal(named!.Name, parsed.Report.Tasks, named.Task) is { } refusal)
                {
                    throw new UsageException($"--adapter: {refusal}");
                }

                AdapterNotes.Write(parsed.Report, arguments.InvocationConfiguration.Error);
            }

            using ResidentAdapter? resident = parsed is null ? null : loaded.Transformer.Place(parsed);
            CheckTokens(sequences, loaded.Transformer, resident?.VirtualRows ?? 0);
            Tensor[] logits = [.. sequences.Select((sequence, index) => Compute(loaded.Transformer, pool, resident, named?.Task ?? 0, sequence, index))];
            string file = arguments.GetValue(output)!;
            SafetensorsFile.Write(file, logits);
            arguments.InvocationConfiguration.Output.WriteLine($"{file}: {logits.Length} tensors, {sequences.Sum(sequence => sequence.Length)} tokens.");
        });
        return verb;
    }

    private static Tensor Compute(Transformer model, WorkerPool pool, ResidentAdapter? adapter, int task, int[] tokens, int index)
    {
        using SingleSequence sequence = adapter is null
            ? new SingleSequence(model, pool, tokens.Length)
            : new SingleSequence(model, pool, tokens.Length, adapter) { Task = task };
        sequence.Begin(tokens);
        float[] values = new float[(long)tokens.Length * model.VocabularySize];
        for (int start = 0; start < tokens.Length; start += ChunkRows)
        {
            Rows rows = sequence.Advance(tokens.AsSpan(start, Math.Min(ChunkRows, tokens.Length - start)), SegmentOutput.AllLogits);
            for (int row = 0; row < rows.Count; row++)
            {
                rows.Span(row).CopyTo(values.AsSpan((start + row) * model.VocabularySize));
            }
        }

        return Tensor.FromFloats(string.Create(CultureInfo.InvariantCulture, $"logits.{index}"), values, tokens.Length, model.VocabularySize);
    }

    private static int[][] ReadTokens(string path)
    {
        try
        {
            int[][] sequences = JsonSerializer.Deserialize<int[][]>(File.ReadAllText(path)) ?? [];
            return sequences.Length > 0 && sequences.All(sequence => sequence is { Length: > 0 })
                ? sequences
                : throw new CommandException($"{path}: an empty array. Expected a JSON array of arrays of token ids, such as [[1, 2, 3]].");
        }
        catch (JsonException exception)
        {
            throw new CommandException($"{path}: {JsonMistake.Describe(exception)}. Expected a JSON array of arrays of token ids, such as [[1, 2, 3]].");
        }
    }

    private static void CheckTokens(int[][] sequences, Transformer model, int virtualRows)
    {
        foreach (int[] sequence in sequences)
        {
            int wrong = Array.FindIndex(sequence, id => (uint)id >= (uint)model.VocabularySize);
            if (wrong >= 0)
            {
                throw new CommandException($"Token id {sequence[wrong]} is not one of the model's {model.VocabularySize}.");
            }

            if (sequence.Length > model.Spec.ContextLength - virtualRows)
            {
                string ahead = virtualRows > 0 ? $" and the adapter puts {virtualRows} virtual tokens ahead of it" : "";
                throw new CommandException($"A sequence has {sequence.Length} tokens{ahead}; the model's context is {model.Spec.ContextLength}.");
            }
        }
    }
}
