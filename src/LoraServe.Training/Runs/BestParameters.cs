using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Training.Runs;

/// <summary>The parameters at the evaluation with the least loss so far.</summary>
internal sealed class BestParameters
{
    private Dictionary<string, float[]> _values = [];

    /// <summary>The least loss.</summary>
    public double Loss { get; set; } = double.PositiveInfinity;

    /// <summary>Evaluations since.</summary>
    public int Waited { get; set; }

    /// <summary>The parameters by name.</summary>
    public IReadOnlyDictionary<string, float[]> Values
    {
        get => _values;
        set => _values = value.ToDictionary();
    }

    /// <summary>Keeps the parameters where they are better than all before.</summary>
    public void Offer(double loss, TrainableAdapter adapter)
    {
        if (loss < Loss)
        {
            Loss = loss;
            Waited = 0;
            _values = adapter.Parameters.ToDictionary(parameter => parameter.Name, parameter => (float[])parameter.Values.Clone());
        }
        else
        {
            Waited++;
        }
    }

    /// <summary>Puts them back.</summary>
    public void Restore(TrainableAdapter adapter)
    {
        foreach (Parameter parameter in adapter.Parameters)
        {
            if (_values.TryGetValue(parameter.Name, out float[]? values))
            {
                values.CopyTo(parameter.Values, 0);
            }
        }
    }
}
