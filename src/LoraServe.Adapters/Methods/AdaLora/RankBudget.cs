using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.AdaLora;

/// <summary>How many ranks AdaLoRA keeps from step to step: all at first, then falling as a cube, at last the target.</summary>
internal sealed class RankBudget
{
    private readonly int _warmup;
    private readonly int _interval;

    /// <summary>Reads tinit, tfinal, deltaT, total_step and target_r.</summary>
    /// <param name="fields">AdaLoRA's configuration.</param>
    /// <param name="initialRanks">Ranks of all modules before any is taken away.</param>
    /// <param name="modules">Number of modules.</param>
    /// <exception cref="AdapterFormatException">The schedule leaves no step in which ranks can be taken away.</exception>
    public RankBudget(ConfigFields fields, int initialRanks, int modules)
    {
        _warmup = fields.Integer("tinit", 0) ?? 0;
        _interval = fields.Integer("deltaT", 1) ?? 1;
        int total = fields.Integer("total_step", 1)
            ?? throw new AdapterFormatException("field 'total_step' is missing; AdaLoRA needs to know how many steps it has.");
        LastStep = total - (fields.Integer("tfinal", 0) ?? 0);
        InitialRanks = initialRanks;
        TargetRanks = Math.Min((fields.Integer("target_r", 1) ?? 8) * modules, initialRanks);
        if (LastStep <= _warmup)
        {
            throw new AdapterFormatException($"tinit is {_warmup}, tfinal {total - LastStep} and total_step {total}; expected tinit + tfinal to leave steps in which ranks are taken away.");
        }
    }

    /// <summary>The step after which the ranks that are kept do not change any more.</summary>
    public int LastStep { get; }

    /// <summary>Ranks at first.</summary>
    public int InitialRanks { get; }

    /// <summary>Ranks at last.</summary>
    public int TargetRanks { get; }

    /// <summary>Ranks to keep after a step.</summary>
    public int At(int step)
    {
        if (step <= _warmup)
        {
            return InitialRanks;
        }

        double left = 1 - ((double)(step - _warmup) / (LastStep - _warmup));
        return step > LastStep ? TargetRanks : (int)(((InitialRanks - TargetRanks) * left * left * left) + TargetRanks);
    }

    /// <summary>Whether ranks are taken away after a step.</summary>
    public bool TakesAt(int step) => step > _warmup && step <= LastStep && (step % _interval == 0 || step == LastStep);
}
