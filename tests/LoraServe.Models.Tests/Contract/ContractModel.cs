using LoraServe.Adapters.Edits;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;
using LoraServe.Models.Forward;
using LoraServe.Models.Spec;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract;

/// <summary>A small model on a device beside the same in plain arrays.</summary>
internal sealed class ContractModel : IDisposable
{
    private const int Seed = 11;
    private readonly List<ResidentAdapter> _placed = [];

    /// <summary>Loads a model; skips the calling test where the device is not available.</summary>
    public ContractModel(string device, TransformerSpec spec, ElementType type = ElementType.F32)
    {
        Device = Devices.Named(device);
        OnDevice = Device.Require().Load(TinyModel.Weights(Seed, type, spec), new ModelLoadOptions { Arithmetic = Arithmetic.Exact });
        using ModelWeights weights = TinyModel.Weights(Seed, type, spec);
        Plain = new PlainModel(weights);
        Forward = new PlainForward(Plain);
    }

    public TestedDevice Device { get; }

    public Transformer OnDevice { get; }

    public PlainModel Plain { get; }

    public PlainForward Forward { get; }

    public WorkerPool Pool { get; } = new(2);

    public int VocabularySize => Plain.VocabularySize;

    /// <summary>Places edits for as long as the model is there.</summary>
    public ResidentAdapter Place(IReadOnlyList<AdapterEdit> edits, params int[] invocationTokens) => Keep(OnDevice.Place(edits, "contract", invocationTokens));

    /// <summary>The same for edits whose derivatives are asked for.</summary>
    public ResidentAdapter PlaceToTrain(IReadOnlyList<AdapterEdit> edits) => Keep(OnDevice.Place(edits));

    /// <summary>Rows that a device gave against those in float64.</summary>
    public void AssertClose(double[][] expected, float[][] actual, string what, double looser = 1)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int row = 0; row < expected.Length; row++)
        {
            double scale = expected[row].Max(Math.Abs);
            double worst = Difference(expected[row], actual[row]);
            Assert.True(worst <= looser * Device.Tolerance * scale, $"{what}, row {row}: differs by {worst} where values go up to {scale}");
        }
    }

    /// <summary>The greatest difference; not a number where a value is none.</summary>
    public static double Difference(double[] expected, float[] actual) => expected.Zip(actual, (a, b) => Math.Abs(a - b)).Aggregate(0.0, Math.Max);

    public void Dispose()
    {
        _placed.ForEach(adapter => adapter.Dispose());
        OnDevice.Dispose();
        Pool.Dispose();
    }

    private ResidentAdapter Keep(ResidentAdapter adapter)
    {
        _placed.Add(adapter);
        return adapter;
    }
}
