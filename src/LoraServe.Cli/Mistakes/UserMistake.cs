using System.ComponentModel.DataAnnotations;
using Grpc.Core;
using LoraServe.Adapters;
using LoraServe.Adapters.Merging;
using LoraServe.Compute.Files;
using LoraServe.Models;
using LoraServe.Models.Config;
using LoraServe.Server.Options;
using LoraServe.Serving.Requests;
using LoraServe.Studio;
using LoraServe.Templates;
using LoraServe.Tokenization.Files;
using LoraServe.Training.Checkpoints;
using LoraServe.Training.Data;
using LoraServe.Training.Options;
using LoraServe.Training.Ranks;
using LoraServe.Training.Steps;
using Microsoft.Extensions.Options;

namespace LoraServe.Cli.Mistakes;

/// <summary>Tells failures that the user can mend, which get one line, from faults of the program, which get a stack trace.</summary>
internal static class UserMistake
{
    /// <summary>One line for the user; null where the program is at fault.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        UsageException or CommandException or StudioException or SettingsException or AdapterFormatException or MergeException
            or ModelFormatException or DeviceException or TensorFileException or TokenizerFormatException or TemplateException
            or TrainingDataException or TrainingOptionsException or RankChoiceException or DivergenceException or CheckpointException or EngineException
            or ValidationException or OptionsValidationException => exception.Message,
        RpcException refused => refused.Status.Detail,
        FileNotFoundException { FileName: { } file } => $"{file}: no such file.",
        DirectoryNotFoundException or FileNotFoundException or UnauthorizedAccessException or IOException or InvalidDataException => exception.Message,
        _ => null,
    };

    /// <summary>Whether the command line or a setting is wrong, rather than what it names.</summary>
    public static bool IsMisuse(Exception exception) => exception is UsageException or SettingsException or TrainingOptionsException or ValidationException or OptionsValidationException
        or StudioException { IsMisuse: true }
        or EngineException { Error: EngineError.InvalidRequest or EngineError.InvalidSampling or EngineError.InvalidAdapterName or EngineError.EmptyPrompt };
}
