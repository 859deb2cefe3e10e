using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.VbLora;

/// <summary>VB-LoRA (Li et al. 2024): W + B·A, whose rows and columns are put together from a bank of vectors that all modules share.</summary>
internal sealed class VbLoraReader : ModuleReader
{
    /// <summary>Name of the bank's tensor.</summary>
    public const string BankName = "base_model.vblora_vector_bank";

    private readonly VbLoraConfig _config;
    private readonly FloatMatrix _bank;

    private VbLoraReader(VbLoraConfig config, AdapterTensors tensors, IBaseModel model, FloatMatrix bank)
        : base(config.Modules, tensors, model) => (_config, _bank) = (config, bank);

    /// <inheritdoc />
    protected override string Name => "VB-LoRA";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        VbLoraConfig config = VbLoraConfig.Read(fields);
        FloatMatrix bank = tensors.Matrix(BankName, config.Vectors, config.Length, "num_vectors and vector_length in the configuration");
        return new VbLoraReader(config, tensors.WithPrefix(AdapterFiles.PeftPrefix), model, bank).Read();
    }

    /// <summary>The pair that parts make.</summary>
    /// <param name="module">The linear map.</param>
    /// <param name="bank">[vectors, length].</param>
    /// <param name="partsOfA">A's rows, part after part.</param>
    /// <param name="partsOfB">B's columns, the first part of each before the second.</param>
    /// <param name="rank">Rows of A.</param>
    public static LowRank Edit(BaseModule module, FloatMatrix bank, VectorParts partsOfA, VectorParts partsOfB, int rank)
    {
        int length = bank.Columns;
        var a = new FloatMatrix(rank, module.Inputs);
        for (int part = 0; part < a.Values.Length / length; part++)
        {
            partsOfA.Form(part, bank, a.Values.AsSpan(part * length, length));
        }

        var b = new FloatMatrix(module.Outputs, rank);
        float[] vector = new float[length];
        for (int part = 0; part < b.Values.Length / length; part++)
        {
            partsOfB.Form(part, bank, vector);
            (int tile, int column) = int.DivRem(part, rank);
            for (int i = 0; i < length; i++)
            {
                b.Row((tile * length) + i)[column] = vector[i];
            }
        }

        return new LowRank(module.Site, a, b, 1);
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        _config.Check(module, Tensors.File);
        int rank = _config.Rank;
        VectorParts partsOfA = Parts($"{module.Path}.vblora_logits_A", module, rank, module.Inputs / _config.Length);
        VectorParts partsOfB = Parts($"{module.Path}.vblora_logits_B", module, module.Outputs / _config.Length, rank);
        edits.Add(Edit(module, _bank, partsOfA, partsOfB, rank));
    }

    private VectorParts Parts(string name, BaseModule module, int rows, int columns)
    {
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base; r {_config.Rank}, vector_length {_config.Length}, num_vectors {_config.Vectors} and topk {_config.Chosen} in the configuration";
        int count = rows * columns;
        if (!_config.SavesChosenAlone)
        {
            float[] logits = Tensors.Values(name, because, rows, columns, _config.Vectors);
            return VectorParts.FromLogits(new FloatMatrix(count, _config.Vectors, logits), _config.Chosen);
        }

        int chosen = _config.Chosen;
        int[] indices = Tensors.Indices($"{name}_topk_indices", _config.Vectors, because, rows, columns, chosen);
        float[] weights = Tensors.Values($"{name}_topk_weights", because, rows, columns, chosen - 1);
        var parts = new VectorParts(count, chosen);
        indices.CopyTo(parts.Indices, 0);
        for (int part = 0; part < count; part++)
        {
            if (indices[(part * chosen)..((part + 1) * chosen)].Distinct().Count() != chosen)
            {
                throw new AdapterFormatException($"{Tensors.File}: tensor '{AdapterFiles.PeftPrefix}{name}_topk_indices' names a vector twice for one part; expected each once. Save the adapter again.");
            }

            weights.AsSpan(part * (chosen - 1), chosen - 1).CopyTo(parts.Weights.AsSpan(part * chosen));
            parts.CompleteWeights(part);
        }

        return parts;
    }
}
