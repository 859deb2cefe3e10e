using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.Reading;

/// <summary>In which form a change of a weight is kept that could be either a low-rank pair or a whole matrix.</summary>
internal static class DeltaForm
{
    /// <summary>Whether a pair of the rank takes at most half of what the whole matrix takes, in memory and in products.</summary>
    public static bool IsLowRank(BaseModule module, long rank) => rank <= (long)module.Outputs * module.Inputs / 2 / ((long)module.Outputs + module.Inputs);

    /// <summary>A matrix of a module's shape.</summary>
    /// <exception cref="AdapterFormatException">It is more than one array can hold.</exception>
    public static FloatMatrix Whole(BaseModule module)
    {
        CheckWhole(module);
        return new(module.Outputs, module.Inputs);
    }

    /// <summary>Refuses what is more than one array can hold.</summary>
    /// <exception cref="AdapterFormatException">It is.</exception>
    public static void CheckWhole(BaseModule module)
    {
        if ((long)module.Outputs * module.Inputs > Array.MaxLength)
        {
            throw new AdapterFormatException($"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base; expected at most {Array.MaxLength} elements where an adapter changes the whole matrix. Take it out of target_modules.");
        }
    }
}
