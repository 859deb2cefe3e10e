namespace LoraServe.Training.Optimizers;

/// <summary>The learning rate of every step: a rise in a straight line from zero, then a schedule.</summary>
/// <param name="Schedule">What follows the rise.</param>
/// <param name="Rate">The highest rate.</param>
/// <param name="WarmupSteps">Steps of the rise, of which the first has rate zero; 0 for none.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
internal sealed record LearningRate(LearningRateSchedule Schedule, double Rate, int WarmupSteps = 0, int TotalSteps = 0)
{
    /// <summary>The rate of a step.</summary>
    /// <param name="step">Updates done before it; 0 for the first. Beyond the total, a schedule that falls stays at zero.</param>
    public double At(int step)
    {
        if (step < WarmupSteps)
        {
            return Rate * step / WarmupSteps;
        }

        double done = Math.Min(1, (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps));
        return Schedule switch
        {
            LearningRateSchedule.Linear => Rate * (1 - done),
            LearningRateSchedule.Cosine => Rate * 0.5 * (1 + Math.Cos(Math.PI * done)),
            _ => Rate,
        };
    }
}
