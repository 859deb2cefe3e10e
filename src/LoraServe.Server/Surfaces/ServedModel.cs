using System.Runtime.CompilerServices;
using LoraServe.Jobs;
using LoraServe.Models;
using LoraServe.Models.Text;
using LoraServe.Serving;

namespace LoraServe.Server.Surfaces;

/// <summary>The model that this process serves and the engine that runs it.</summary>
/// <param name="Model">Weights, tokenizer and defaults.</param>
/// <param name="Engine">Runs it. Disposed with the application, before the model.</param>
/// <param name="Chat">The model's chat format; null where it has none.</param>
public sealed record ServedModel(LoadedModel Model, InferenceEngine Engine, ChatFormat? Chat)
{
    private readonly ConditionalWeakTable<ModelText, StrongBox<ChatFormat?>> _formats = [];

    /// <summary>Trains adapters for it; null where the server does not. The host stops it when it stops.</summary>
    public TrainingJobs? Training { get; init; }

    /// <summary>The chat format of a conversation with adapters: theirs where they bring one, else the model's; null where there is none.</summary>
    /// <param name="adapter">What the adapters bring; null for nothing.</param>
    /// <exception cref="Templates.TemplateException">It is not valid.</exception>
    internal ChatFormat? FormatOf(ModelText? adapter) =>
        adapter is null ? Chat : _formats.GetValue(adapter, brought => new StrongBox<ChatFormat?>(ChatFormat.Of(Model.Text.With(brought)))).Value;
}
