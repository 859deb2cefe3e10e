using LoraServe.Adapters;
using LoraServe.Adapters.Peft;

namespace LoraServe.Training.Ranks;

/// <summary>Finds the linear maps that target names mean.</summary>
public static class RankTargets
{
    /// <summary>PEFT's name for every linear map of the layers.</summary>
    public const string AllLinear = ModuleFilter.AllLinear;

    /// <summary>The modules that names mean, as in PEFT's <c>target_modules</c>.</summary>
    /// <param name="model">The base.</param>
    /// <param name="names">Last parts of paths, such as <c>q_proj</c>, or whole paths; none, or <see cref="AllLinear"/>, for every linear map of the layers.</param>
    /// <returns>In the model's order.</returns>
    /// <exception cref="RankChoiceException">A name means no module.</exception>
    public static IReadOnlyList<BaseModule> Select(IBaseModel model, IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(names);
        var filter = new ModuleFilter(names.Count == 0 ? [AllLinear] : names);
        if (filter.Unmatched(model.Modules.Select(module => module.Path)).FirstOrDefault() is { } unknown)
        {
            throw new RankChoiceException($"The model has no module '{unknown}'. It has {string.Join(", ", model.Modules.Select(module => module.Name).Distinct())}.");
        }

        return [.. model.Modules.Where(filter.Targets)];
    }
}
