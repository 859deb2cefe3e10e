using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Gguf;

/// <summary>LoRA in llama.cpp's GGUF form: pairs named after the base's GGUF tensors, one alpha for all.</summary>
/// <remarks>Names and scale as in llama.cpp's <c>llama-adapter.cpp</c>; row order as in its <c>convert_lora_to_gguf.py</c>.</remarks>
internal sealed class GgufLora
{
    private readonly GgufFile _file;
    private readonly IBaseModel _model;
    private readonly AdapterTensors _tensors;
    private readonly double _alpha;
    private readonly int[] _invocationTokens;

    public GgufLora(GgufFile file, IBaseModel model)
    {
        _file = file;
        _model = model;
        _tensors = new AdapterTensors(file.Path, file.Tensors, "");
        Expect(GgufLoraFormat.TypeKey, GgufLoraFormat.Type);
        Expect(GgufLoraFormat.MethodKey, GgufLoraFormat.Method);
        _alpha = file.Metadata.FindNumber(GgufLoraFormat.AlphaKey) ?? 0;
        if (!float.IsFinite((float)_alpha))
        {
            throw new AdapterFormatException($"{file.Path}: field '{GgufLoraFormat.AlphaKey}' is {_alpha}; expected a finite number. Convert the adapter again.");
        }

        if (file.ShardCount > 1)
        {
            throw new AdapterFormatException($"{file.Path}: is one of {file.ShardCount} shards; expected an adapter in one file. Merge them with llama.cpp's gguf-split.");
        }

        string? architecture = file.Metadata.FindString(GgufLoraFormat.ArchitectureKey);
        if (architecture != model.GgufArchitecture)
        {
            string found = architecture is null ? "missing" : $"'{architecture}'";
            throw new AdapterFormatException($"{file.Path}: field '{GgufLoraFormat.ArchitectureKey}' is {found}; expected '{model.GgufArchitecture}', as the base is. Load the adapter on the base it was made for, or convert it again.");
        }

        _invocationTokens = [.. (file.Metadata.FindIntegers(GgufLoraFormat.InvocationTokensKey) ?? []).Select(CheckToken)];
    }

    /// <summary>Reads every pair.</summary>
    /// <exception cref="AdapterFormatException">A tensor is missing, does not fit, or nothing in the base takes it.</exception>
    public AdapterContent Read()
    {
        var modules = new List<ModuleEdits>();
        foreach (BaseModule module in _model.Modules)
        {
            string name = GgufLoraFormat.NameOf(module.Site);
            if (_tensors.Has(name + GgufLoraFormat.A) || _tensors.Has(name + GgufLoraFormat.B))
            {
                var edits = new ModuleEdits(module);
                edits.Pairs.Add(ReadPair(module, name));
                modules.Add(edits);
            }
        }

        if (modules.Count == 0)
        {
            throw new AdapterFormatException($"{_file.Path}: matches no module of the base. Load it on the base it was made for.");
        }

        if (_file.UnsupportedTensors.Keys.Concat(_tensors.Untaken).FirstOrDefault() is { } left)
        {
            throw new AdapterFormatException($"{_file.Path}: tensor '{left}' belongs to no module of the base, or has a type that is not supported. Load the adapter on the base it was made for.");
        }

        return new AdapterContent(_invocationTokens.Length > 0 ? "aLoRA" : "LoRA") { Modules = modules, InvocationTokens = [.. _invocationTokens] };
    }

    private LowRank ReadPair(BaseModule module, string name)
    {
        bool isTable = module.Site.IsTable;
        string b = name + GgufLoraFormat.B;
        int rank = _tensors.Has(b) && _tensors.Shape(b) is [_, > 0 and <= int.MaxValue] shape ? (int)shape[1] : 1;
        int inputs = isTable ? module.Outputs : module.Inputs;
        int outputs = isTable ? module.Inputs : module.Outputs;
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base";
        FloatMatrix bMatrix = _tensors.Matrix(b, outputs, rank, because);

        // The table's A is stored by token, so that a row can be looked up.
        FloatMatrix aMatrix = isTable
            ? _tensors.Matrix(name + GgufLoraFormat.A, inputs, rank, because).Transposed()
            : _tensors.Matrix(name + GgufLoraFormat.A, rank, inputs, because);
        return new LowRank(module.Site, aMatrix, GgufRows.ToHuggingFace(_model.GgufArchitecture, module.Site, bMatrix, _model.HeadSize), _alpha == 0 ? 1 : (float)(_alpha / rank));
    }

    private int CheckToken(long token) =>
        token >= 0 && token < _model.VocabularySize
            ? (int)token
            : throw new AdapterFormatException($"{_file.Path}: invocation token {token} is not in the base's vocabulary of {_model.VocabularySize}.");

    private void Expect(string key, string value)
    {
        if (_file.Metadata.FindString(key) is var found && found != value)
        {
            throw new AdapterFormatException($"{_file.Path}: field '{key}' is '{found}'; expected '{value}'. Give a GGUF LoRA file, as llama.cpp's converter writes it.");
        }
    }
}
