using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Models;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Policies;

namespace LoraServe.Training.Runs;

/// <summary>The ranks of a run that leaves them to a policy; the same for the same model and data.</summary>
internal static class ChosenRanks
{
    /// <summary>The settings with the ranks in them: one for all, and where maps differ, LoRA's own for each.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="model">The base.</param>
    /// <param name="data">The run's rows.</param>
    /// <param name="workers">Threads for policies that decompose the base's matrices, which takes minutes on a large one.</param>
    /// <exception cref="TrainingOptionsException">The policy needs to know something that a run does not say.</exception>
    public static TrainingJobOptions Resolve(TrainingJobOptions options, LoadedModel model, RunData data, int workers)
    {
        if (!options.ChoosesRank)
        {
            return options;
        }

        IReadOnlyList<MethodVariant> methods = MethodCatalog.Find(options.Method);
        IReadOnlyList<string> targets = options.Targets.Count > 0 ? options.Targets : methods[0].Targets;
        IRankPolicy policy = RankPolicies.Find(options.RankPolicy);
        var question = new RankQuestion
        {
            Model = model.Transformer,
            Targets = RankTargets.Select(model.Transformer, targets),
            Data = DataSetFacts.Of(data.Examples),
        };
        if (policy.NeedsSpectra)
        {
            question = question with { Spectra = Spectrum.OfWeights(question.Model, question.Targets, workers) };
        }

        if (policy.Missing(question) is { } missing)
        {
            throw new TrainingOptionsException($"the rank policy {policy.Name} lacks {missing}, which these rows do not tell; name another policy, or a rank.");
        }

        RankPlan plan = policy.Choose(question);
        options = options with { ChoosesRank = false };
        return plan.MinimumRank == plan.MaximumRank
            ? options with { Rank = plan.MaximumRank }
            : options with { Rank = Math.Max(1, methods.All(method => method.HasRankPattern) ? MostFrequent(plan) : plan.MaximumRank), PeftConfig = Patterns(options, plan, methods) };
    }

    private static int MostFrequent(RankPlan plan) => plan.Sites.GroupBy(site => site.Rank).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).First().Key;

    /// <summary>The configuration's fields with the ranks of maps, and alphas that keep the scale the same everywhere where none is given.</summary>
    private static JsonObject Patterns(TrainingJobOptions options, RankPlan plan, IReadOnlyList<MethodVariant> methods)
    {
        JsonObject fields = options.PeftConfig?.DeepClone().AsObject() ?? [];
        foreach (MethodVariant method in methods.Where(method => method.HasRankPattern))
        {
            JsonObject own = methods.Count == 1 ? fields : fields[method.Name] as JsonObject ?? [];
            own["rank_pattern"] = new JsonObject(plan.Sites.Select(site => KeyValuePair.Create(site.Module.Path, (JsonNode?)Math.Max(1, site.Rank))));
            if (options.Alpha is null)
            {
                own["alpha_pattern"] = new JsonObject(plan.Sites.Select(site => KeyValuePair.Create(site.Module.Path, (JsonNode?)(2 * Math.Max(1, site.Rank)))));
            }

            if (methods.Count > 1)
            {
                fields[method.Name] = own.DeepClone();
            }
        }

        return fields;
    }
}
