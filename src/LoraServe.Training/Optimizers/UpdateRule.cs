using LoraServe.Adapters.Gradients;

namespace LoraServe.Training.Optimizers;

/// <summary>The formula of an optimizer for one parameter; keeps nothing itself.</summary>
internal abstract class UpdateRule
{
    /// <summary>Elements worked on at once: several arrays of so many stay in the first-level cache.</summary>
    protected const int BlockLength = 1024;

    /// <summary>What is remembered of a parameter, in the order that <see cref="Update"/> takes it.</summary>
    public abstract IReadOnlyList<UpdateSlot> SlotsOf(Parameter parameter);

    /// <summary>Updates the values of a parameter by its gradient.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="rate">Its own learning rate.</param>
    /// <param name="slots">What is remembered of it.</param>
    public abstract void Update(Parameter parameter, double rate, float[][] slots);
}
