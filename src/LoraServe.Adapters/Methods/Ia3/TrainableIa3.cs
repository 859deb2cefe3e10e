using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Ia3;

/// <summary>(IA)³ (Liu et al. 2022, arXiv:2205.05638): factors of attention's keys and values and of the MLP's inner activations.</summary>
internal sealed class TrainableIa3 : TrainableAdapter
{
    private readonly List<(BaseModule Module, Parameter Factors, bool ScalesInput)> _sites = [];

    /// <summary>Factors of one at the modules that the configuration targets.</summary>
    public TrainableIa3(JsonObject config, IBaseModel model)
        : base(config, model)
    {
        Ia3Config ia3 = Ia3Config.Read(PeftConfig.Fields(config));
        foreach (BaseModule module in model.Modules.Where(ia3.Modules.Targets.Targets))
        {
            bool scalesInput = ia3.ScalesInputs(module.Path);
            int count = scalesInput ? module.Inputs : module.Outputs;
            float[] ones = new float[count];
            Array.Fill(ones, 1);
            _sites.Add((module, Add($"{AdapterFiles.PeftPrefix}{module.Path}.ia3_l", scalesInput ? [1, count] : [count, 1], ones), scalesInput));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _sites.SelectMany(entry => Edits(entry.Module, entry.Factors, entry.ScalesInput))];

    public override void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, Parameter factors, bool scalesInput) in _sites)
        {
            LinearEditGradient site = gradients.At(module.Site)!;
            Accumulate(factors, scalesInput ? site.InputGain : site.OutputGain);
            if (site.Bias is { } bias)
            {
                float[] original = Model.Bias(module);
                for (int i = 0; i < original.Length; i++)
                {
                    factors.Gradient[i] += bias.Values[i] * original[i];
                }
            }
        }
    }

    private IEnumerable<AdapterEdit> Edits(BaseModule module, Parameter factors, bool scalesInput)
    {
        if (scalesInput)
        {
            yield return new InputScale(module.Site, factors.Values);
            yield break;
        }

        yield return new OutputScale(module.Site, factors.Values);
        if (module.HasBias)
        {
            yield return new BiasDelta(module.Site, [.. Model.Bias(module).Zip(factors.Values, (bias, factor) => bias * (factor - 1))]);
        }
    }
}
