using LoraServe.Models;
using LoraServe.Training.Methods;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Policies;

namespace LoraServe.Training.Runs;

/// <summary>The rank of a run that leaves it to the trainer: by the model's width and how hard the data is.</summary>
internal static class AutomaticRank
{
    /// <summary>Chooses; the same for the same model and data.</summary>
    public static int Choose(TrainingJobOptions options, LoadedModel model, RunData data)
    {
        IReadOnlyList<string> targets = options.Targets.Count > 0 ? options.Targets : MethodCatalog.Find(options.Method)[0].Targets;
        var question = new RankQuestion
        {
            Model = model.Transformer,
            Targets = RankTargets.Select(model.Transformer, targets),
            Data = DataSetFacts.Of(data.Examples),
        };
        return new WidthAndComplexityPolicy().Choose(question).MaximumRank;
    }
}
