using System.ComponentModel.DataAnnotations;
using Grpc.Core;
using LoraServe.Adapters;
using LoraServe.Compute.Files;
using LoraServe.Models;
using LoraServe.Serving;
using LoraServe.Tokenization;
using LoraServe.Tokenization.Templates;
using LoraServe.Training;
using LoraServe.Training.Checkpoints;
using LoraServe.Training.Data;
using Microsoft.Extensions.Options;

namespace LoraServe.Cli;

/// <summary>Tells failures that the user can mend, which get one line, from faults of the program, which get a stack trace.</summary>
internal static class UserMistake
{
    /// <summary>One line for the user; null where the program is at fault.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        UsageException or AdapterFormatException or ModelFormatException or TensorFileException or TokenizerFormatException or TemplateException
            or TrainingDataException or TrainingOptionsException or DivergenceException or CheckpointException or EngineException
            or ValidationException or OptionsValidationException => exception.Message,
        RpcException refused => refused.Status.Detail,
        FileNotFoundException { FileName: { } file } => $"{file}: no such file.",
        DirectoryNotFoundException or FileNotFoundException or UnauthorizedAccessException or IOException or InvalidDataException => exception.Message,
        _ => null,
    };
}
