using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>An adapter in training: its parameters, the edits that they make, and the way back from edits to parameters.</summary>
/// <remarks>
/// Its configuration is the one that is saved, so what is trained is what any reader of the files sees. Edits are made from
/// parameters before every step, by the arithmetic that loading the files does.
/// </remarks>
public abstract class TrainableAdapter
{
    private static readonly IReadOnlyDictionary<string, float[]> s_nothing = new Dictionary<string, float[]>();
    private static readonly IReadOnlyDictionary<Site, GradientMatrix> s_noReplacements = new Dictionary<Site, GradientMatrix>();
    private readonly List<Parameter> _parameters = [];

    private protected TrainableAdapter(JsonObject config, IBaseModel model)
    {
        Config = config;
        Model = model;
    }

    /// <summary>What is trained.</summary>
    public IReadOnlyList<Parameter> Parameters => _parameters;

    /// <summary>The adapter's configuration as it is saved.</summary>
    public JsonObject Config { get; }

    private protected IBaseModel Model { get; }

    /// <summary>The edits that the parameters make now.</summary>
    public abstract IReadOnlyList<AdapterEdit> Edits();

    /// <summary>The edits without the noise that training steps have; null where they have none.</summary>
    public virtual IReadOnlyList<AdapterEdit>? EditsAtRest() => null;

    /// <summary>Adds to the parameters' gradients what derivatives by the edits come to.</summary>
    /// <param name="gradients">The derivatives.</param>
    public abstract void Pull(EditGradients gradients);

    /// <summary>Where derivatives by weights that the adapter replaces go: the parameters' own gradients. Most methods replace none.</summary>
    public virtual IReadOnlyDictionary<Site, GradientMatrix> ReplacementGradients => s_noReplacements;

    /// <summary>Adds a term of the method's own to the loss and its derivative to the gradients.</summary>
    /// <returns>The term.</returns>
    public virtual double Regularize() => 0;

    /// <summary>What the method does after an optimizer step.</summary>
    /// <param name="number">The step's number from 0.</param>
    public virtual void AfterStep(int number)
    {
    }

    /// <summary>After the last step: from now on the edits are, to the bit, those that the saved files give. Most methods' always are.</summary>
    public virtual void Finish()
    {
    }

    /// <summary>What the method keeps beside its parameters from step to step, for a checkpoint: live arrays by name.</summary>
    public virtual IReadOnlyDictionary<string, float[]> State => s_nothing;

    /// <summary>Takes over what <see cref="State"/> of an adapter of the same configuration held.</summary>
    /// <param name="state">Values by name.</param>
    /// <exception cref="InvalidDataException">It does not fit.</exception>
    public virtual void Restore(IReadOnlyDictionary<string, float[]> state)
    {
        foreach ((string name, float[] kept) in State)
        {
            if (!state.TryGetValue(name, out float[]? values) || values.Length != kept.Length)
            {
                throw new InvalidDataException($"The method's {name} has {values?.Length.ToString() ?? "no"} values; expected {kept.Length}.");
            }

            values.CopyTo(kept, 0);
        }
    }

    /// <summary>The tensors that are saved; the parameters, unless the method saves what they make.</summary>
    internal virtual IEnumerable<Parameter> Saved() => _parameters;

    /// <summary>Writes the adapter as the library reads it that its format is from: PEFT, or AdapterHub for bottlenecks. Whole or not at all.</summary>
    /// <param name="directory">Made where it is missing; an adapter that is there is replaced.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public virtual void Save(string directory) => AdapterWriter.Write(directory, Config, Saved().Select(parameter => parameter.ToTensor()));

    /// <summary>Goes on from an adapter that was saved here or elsewhere.</summary>
    /// <param name="directory">Where it is.</param>
    /// <exception cref="AdapterFormatException">It is damaged, or has not what would have to be trained.</exception>
    public virtual void Load(string directory)
    {
        using var adapter = PeftAdapter.Open(directory, new AdapterLimits(), Model);
        Load(adapter.Fields, adapter.Tensors);
    }

    /// <summary>Takes over the values of an adapter's tensors.</summary>
    /// <param name="source">Its configuration.</param>
    /// <param name="tensors">Its tensors.</param>
    private protected virtual void Load(ConfigFields source, AdapterTensors tensors) => Load(tensors, _parameters);

    /// <summary>Takes over tensors of the same shapes.</summary>
    private protected static void Load(AdapterTensors tensors, IEnumerable<Parameter> parameters)
    {
        foreach (Parameter parameter in parameters)
        {
            if (!tensors.Has(parameter.Name))
            {
                throw new AdapterFormatException($"{tensors.File}: tensor '{parameter.Name}' is missing, so that this adapter cannot be trained on. Begin with a new one.");
            }

            tensors.Values(parameter.Name, "what is trained", [.. parameter.Shape.Select(length => (long)length)]).CopyTo(parameter.Values, 0);
        }
    }

    private protected Parameter Add(string name, int[] shape, float[]? values = null, float rateFactor = 1, bool decays = true)
    {
        values ??= new float[shape.Aggregate(1, (product, length) => checked(product * length))];
        return Add(new Parameter(name, shape, values) { RateFactor = rateFactor, Decays = decays });
    }

    private protected Parameter Add(Parameter parameter)
    {
        _parameters.Add(parameter);
        return parameter;
    }

    /// <summary>A dense layer with PyTorch's first values.</summary>
    private protected DenseLayer AddLayer(string name, int outputs, int inputs, int seed) => new(
        Add($"{name}.weight", [outputs, inputs], Initialization.KaimingUniform(outputs, inputs, seed)),
        Add($"{name}.bias", [outputs], Initialization.Uniform(outputs, 1 / MathF.Sqrt(inputs), seed + 1000)));

    /// <summary>A number above 0 of the configuration.</summary>
    /// <exception cref="AdapterFormatException">It is missing or something else.</exception>
    private protected static int ConfigNumber(JsonObject config, string field) =>
        PeftConfig.Fields(config).Integer(field, 1) ?? throw new AdapterFormatException($"field '{field}' is missing; expected a number above 0.");

    /// <summary>gradient += factor · values.</summary>
    private protected static void Accumulate(Parameter? parameter, GradientMatrix? gradient, float factor = 1)
    {
        if (parameter is not null && gradient is not null)
        {
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(gradient.Values, factor, parameter.Gradient, parameter.Gradient);
        }
    }
}
