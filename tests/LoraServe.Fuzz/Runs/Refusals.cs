using LoraServe.Adapters;
using LoraServe.Compute.Files;
using LoraServe.Fuzz.Seeds;
using LoraServe.Models.Config;
using LoraServe.Serving.Requests;
using LoraServe.Templates;
using LoraServe.Tokenization.Files;
using LoraServe.Training.Data;

namespace LoraServe.Fuzz.Runs;

/// <summary>How readers refuse a file: an exception of these types, whose message names it.</summary>
internal static class Refusals
{
    private static readonly HashSet<Type> s_types =
    [
        typeof(TensorFileException), typeof(ModelFormatException), typeof(TokenizerFormatException), typeof(TemplateException), typeof(AdapterFormatException), typeof(TrainingDataException),
        typeof(EngineException), // a list of names that a newer server wrote
        typeof(InvalidDataException), // what a run or a server wrote itself
    ];

    /// <summary>What is wrong with an exception as a refusal; null where nothing is.</summary>
    public static string? Complaint(Exception thrown, string folder, Seed seed) =>
        !s_types.Contains(thrown.GetType()) ? $"{thrown.GetType().Name} is no refusal"
        : thrown is TemplateException { RaisedByTemplate: true } || seed.Files.Keys.Append(folder).Any(name => thrown.Message.Contains(name, StringComparison.Ordinal)) ? null
        : $"the message of {thrown.GetType().Name} names no file";
}
