using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.AdaLora;

/// <summary>How much AdaLoRA holds a parameter's elements to matter: the smoothed sensitivity |w·g| times its smoothed deviation.</summary>
/// <param name="parameter">The parameter.</param>
/// <param name="beta1">Smoothing of the sensitivity.</param>
/// <param name="beta2">Smoothing of the deviation.</param>
internal sealed class ImportanceScore(Parameter parameter, float beta1, float beta2)
{
    /// <summary>The smoothed sensitivities.</summary>
    public float[] Sensitivity { get; } = new float[parameter.Values.Length];

    /// <summary>The smoothed deviations from them.</summary>
    public float[] Uncertainty { get; } = new float[parameter.Values.Length];

    /// <summary>The score of an element.</summary>
    public float this[int element] => Sensitivity[element] * Uncertainty[element];

    /// <summary>Takes in the parameter after an update and the gradient before it.</summary>
    public void Update()
    {
        for (int i = 0; i < Sensitivity.Length; i++)
        {
            float sensitivity = MathF.Abs(parameter.Values[i] * parameter.Gradient[i]);
            Sensitivity[i] = (beta1 * Sensitivity[i]) + ((1 - beta1) * sensitivity);
            Uncertainty[i] = (beta2 * Uncertainty[i]) + ((1 - beta2) * MathF.Abs(sensitivity - Sensitivity[i]));
        }
    }
}
