using System.Collections.Immutable;
using System.CommandLine;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gguf;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Merging;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Rendering;
using LoraServe.Models;

namespace LoraServe.Cli.Verbs.Adapters;

/// <summary><c>loraserve adapters convert</c>: a GGUF LoRA file, or a variant of LoRA that is low-rank pairs, as a plain PEFT directory or a GGUF file.</summary>
internal static class ConvertVerb
{
    public static Command Create()
    {
        var adapter = new Argument<string>("ADAPTER") { Description = "A GGUF adapter file or a PEFT directory." };
        var model = new Option<string>("--model") { Description = "The base: a GGUF file or a Hugging Face directory.", Required = true, HelpName = "PATH" };
        var output = new OutputArgument("The PEFT directory to write, or a GGUF file if it ends in .gguf.", "PATH");
        var verb = new Command("convert", "Write an adapter (GGUF, or PEFT with rsLoRA and patterns) as a plain PEFT LoRA directory or a GGUF file for llama.cpp.") { adapter, model };
        output.AddTo(verb);
        verb.SetAction(arguments =>
        {
            string folder = output.Read(arguments);
            using LoadedModel loaded = ModelArguments.Load(arguments.GetValue(model)!, Compute.Arithmetic.Fast, Environment.ProcessorCount);
            Adapter parsed = AdapterLoader.Load(arguments.GetValue(adapter)!, loaded.Transformer);
            AdapterNotes.Write(parsed.Report, arguments.InvocationConfiguration.Error);
            ImmutableArray<LowRank> pairs = AdapterCombination.Combine(
                [new WeightedAdapter(parsed, 1)], loaded.Transformer, new CombinationOptions { Method = CombinationMethod.Concatenation });
            if (folder.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            {
                GgufLoraWriter.Write(folder, pairs, loaded.Transformer, loaded.Transformer.GgufArchitecture);
            }
            else
            {
                PeftWriter.Write(folder, pairs, loaded.Transformer, loaded.Name);
            }

            arguments.InvocationConfiguration.Output.WriteLine($"{folder}: {parsed.Report.Method}, rank {pairs.Max(pair => pair.Rank)}, {pairs.Length} modules.");
        });
        return verb;
    }
}
