using System.Collections.Immutable;
using System.CommandLine;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Models;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary><c>loraserve adapters merge</c>: adapters merged into their base, or several made one.</summary>
internal static class MergeVerb
{
    private const string IntoBase = "base";
    private const string IntoAdapter = "adapter";

    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "The base: a GGUF file or a Hugging Face directory.", Required = true, HelpName = "PATH" };
        var adapters = new Option<string[]>("--adapter") { Description = "An adapter and the factor of its change (1 where left out). Repeatable.", Required = true, HelpName = "DIR[:WEIGHT]" };
        var output = new OutputArgument("The directory to write.", "DIR");
        var into = new Option<string?>("--into") { Description = "base writes a whole model in float32, with each adapter's weighted change added; adapter writes one LoRA adapter. [default: base, or adapter where --method is given]" };
        into.AcceptOnlyFromAmong(IntoBase, IntoAdapter);
        var combination = new CombinationArguments("cat, which is exact");
        var tokenizer = new Option<string>("--tokenizer") { Description = "Take the tokenizer from this directory or GGUF file. [default: from --model]", HelpName = "PATH" };
        var verb = new Command("merge", "Merge adapters into their base, or make one adapter of several.") { model, adapters, into, tokenizer };
        combination.AddTo(verb);
        output.AddTo(verb);
        verb.SetAction(arguments =>
        {
            WeightedPath[] inputs = [.. arguments.GetValue(adapters)!.Select(WeightedPath.Parse)];
            CombinationOptions? options = combination.Read(arguments);
            string target = arguments.GetValue(into) ?? (options is null ? IntoBase : IntoAdapter);
            if (target == IntoBase && options is not null)
            {
                throw new UsageException("--method makes one adapter of several; use it with --into adapter.");
            }

            string folder = output.Read(arguments);
            string modelPath = arguments.GetValue(model)!;
            using LoadedModel loaded = ModelArguments.Load(modelPath, Compute.Arithmetic.Exact, Environment.ProcessorCount);
            List<WeightedAdapter> parsed = [.. inputs.Select(input => new WeightedAdapter(AdapterLoader.Load(input.Path, loaded.Transformer), input.Weight))];
            parsed.ForEach(input => AdapterNotes.Write(input.Adapter.Report, arguments.InvocationConfiguration.Error));
            TextWriter writer = arguments.InvocationConfiguration.Output;
            if (target == IntoAdapter)
            {
                ImmutableArray<LowRank> pairs = AdapterCombination.Combine(parsed, loaded.Transformer, options ?? new CombinationOptions { Method = CombinationMethod.Concatenation });
                PeftWriter.Write(folder, pairs, loaded.Transformer, loaded.Name);
                writer.WriteLine($"{folder}: one LoRA adapter of {parsed.Count}, rank {pairs.Max(pair => pair.Rank)}, {pairs.Length} modules.");
            }
            else
            {
                IBaseModel merged = parsed.Aggregate((IBaseModel)loaded.Transformer, (into, next) => MergedModel.Create(into, next.Adapter, (float)next.Weight));
                WriteModel(folder, loaded, merged, arguments.GetValue(tokenizer) ?? modelPath, writer, arguments.InvocationConfiguration.Error);
            }
        });
        return verb;
    }

    private static void WriteModel(string folder, LoadedModel loaded, IBaseModel merged, string tokenizer, TextWriter output, TextWriter error)
    {
        Directory.CreateDirectory(folder);
        string weights = Path.Combine(folder, "model.safetensors");
        CheckpointWriter.Write(weights, merged);
        ModelDirectoryWriter.Write(folder, loaded, merged.TiedHead);
        output.WriteLine($"{folder}: {loaded.Name} with the change merged in, {Terminal.Bytes(new FileInfo(weights).Length)}.");
        if (!ModelDirectoryWriter.CopyTokenizer(tokenizer, folder))
        {
            error.WriteLine("note: there is no tokenizer.json to copy, nor one that a GGUF file says; give the directory that has it with --tokenizer.");
        }
    }
}
