namespace LoraServe.Training.Optimizers;

/// <summary>What the learning rate does after its warm-up.</summary>
public enum LearningRateSchedule
{
    /// <summary>It stays.</summary>
    Constant,

    /// <summary>It falls in a straight line to zero at the end.</summary>
    Linear,

    /// <summary>It falls along half a cosine to zero at the end.</summary>
    Cosine,
}
