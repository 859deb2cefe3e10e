using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Reading;

/// <summary>A method that wraps modules of the base as PEFT does: its own tensors at the targeted modules, whole modules, biases and token rows beside them.</summary>
internal abstract class ModuleReader(TargetConfig config, AdapterTensors tensors, IBaseModel model)
{
    private readonly List<ModuleEdits> _modules = [];
    private readonly List<NormDelta> _norms = [];
    private readonly HashSet<string> _namesFound = new(StringComparer.Ordinal);
    private readonly HashSet<string> _equal = new(StringComparer.Ordinal);
    private readonly HashSet<string> _replaced = new(StringComparer.Ordinal);

    /// <summary>What the method is called.</summary>
    protected abstract string Name { get; }

    /// <summary>The adapter's tensors, by module path.</summary>
    protected AdapterTensors Tensors { get; } = tensors;

    /// <summary>The base.</summary>
    protected IBaseModel Model { get; } = model;

    /// <summary>The token table.</summary>
    protected BaseModule Table => Model.Modules.First(module => module.Site == Site.Embedding);

    /// <summary>Whether the method has a form for the token table.</summary>
    protected virtual bool EditsTable => false;

    /// <summary>Tokens that activate the adapter; empty: always active.</summary>
    protected virtual IReadOnlyList<int> InvocationTokens => [];

    /// <summary>What stands between a module's path and <c>trainable_tokens_delta</c>.</summary>
    protected virtual string TokenRowsPart => ".token_adapter";

    /// <summary>Reads every module of the base that the configuration or the file edits.</summary>
    /// <exception cref="AdapterFormatException">A tensor is missing, does not fit, or nothing in the base takes it.</exception>
    public AdapterContent Read()
    {
        foreach (BaseModule module in Model.Modules)
        {
            var edits = new ModuleEdits(module);
            bool targeted = IsTargeted(module);
            if (targeted && module.Site.IsTable && !EditsTable)
            {
                throw new AdapterFormatException($"{Tensors.File}: {Name} is to edit {module.Path}; expected linear maps alone. Save the adapter with other target_modules.");
            }

            ReadWholeWeight(edits, targeted);
            if (targeted)
            {
                if (IsMadeOfWeight && edits.Dense is not null)
                {
                    throw OtherWeight($"{module.Path}.base_layer.weight");
                }

                ReadTarget(edits);
            }

            ReadBias(edits, targeted);
            ReadTokenRows(edits);
            if (targeted || edits.Edits().Any())
            {
                _modules.Add(edits);
            }
        }

        int normsFound = 0;
        foreach (BaseNorm norm in Model.Norms)
        {
            normsFound += ReadNorm(norm) ? 1 : 0;
        }

        if (_modules.Count == 0 && normsFound == 0)
        {
            throw new AdapterFormatException($"{Tensors.File}: matches no module of the base (it targets {config.Targets.Describe()}; the base has {string.Join(", ", Model.Modules.Select(module => module.Name).Distinct())}). Load it on the base it was made for.");
        }

        Tensors.RefuseWhatIsLeft();
        NoteRepeated();
        IEnumerable<string> paths = Model.Modules.Select(module => module.Path).Concat(Model.Norms.Select(norm => norm.Path));
        return new AdapterContent(Name)
        {
            Modules = _modules,
            Norms = _norms,
            Unmatched = [.. config.Targets.Unmatched(paths), .. config.ModulesToSave.Concat(config.TrainableTokens.Keys).Where(name => !_namesFound.Contains(name))],
            InvocationTokens = [.. InvocationTokens],
        };
    }

    /// <summary>Whether its change is made of the base's weight, so that another weight below it would give another change.</summary>
    protected virtual bool IsMadeOfWeight => false;

    /// <summary>Reads the method's own tensors at a targeted module.</summary>
    protected abstract void ReadTarget(ModuleEdits edits);

    /// <summary>Refuses a tensor of which what it is to make is not finite.</summary>
    /// <param name="made">What it makes.</param>
    /// <param name="name">The tensor's name without the file's common prefix.</param>
    /// <param name="expected">What it should hold.</param>
    /// <exception cref="AdapterFormatException">It is not.</exception>
    protected void RequireFinite(FloatMatrix made, string name, string expected)
    {
        if (Array.Exists(made.Values, value => !float.IsFinite(value)))
        {
            throw new AdapterFormatException($"{Tensors.File}: what tensor '{name}' makes is not finite; expected {expected}. The training of this adapter diverged or the file is damaged.");
        }
    }

    /// <summary>Whether the method has tensors of its own at a module.</summary>
    protected virtual bool IsTargeted(BaseModule module) => config.Targets.Targets(module);

    /// <summary>The tensor that replaces a norm's gains; null: they stay.</summary>
    protected virtual string? NormTensor(BaseNorm norm) => IsSaved(norm.Path) ? $"{norm.Path}.weight" : null;

    /// <summary>Reads a norm's gains and biases: those of the base where one of both is not in the file. Says whether the file has any.</summary>
    private bool ReadNorm(BaseNorm norm)
    {
        string? named = NormTensor(norm);
        string gains = named ?? $"{norm.Path}.weight";
        string bias = $"{gains[..gains.LastIndexOf('.')]}.bias";
        bool hasGains = named is not null || Tensors.Has(gains);
        bool hasBias = norm.HasBias && Tensors.Has(bias);
        if (!hasGains && !hasBias)
        {
            return false;
        }

        float[] values = Model.Parameters(norm);
        string because = $"the base's {norm.Path}";
        if (hasGains)
        {
            Tensors.Vector(gains, norm.Width, because).CopyTo(values, 0);
        }

        if (hasBias)
        {
            Tensors.Vector(bias, norm.Width, because).CopyTo(values, norm.Width);
        }

        float[]? delta = values.LessBase(Model.Parameters(norm));
        if (named is null && (hasGains || !config.ReplacesBiases))
        {
            Repeats(hasGains ? gains : bias, delta, targeted: false);
        }

        if (delta is not null)
        {
            _norms.Add(new NormDelta(norm.Site, delta));
        }

        return true;
    }

    private bool IsSaved(string path)
    {
        bool saved = false;
        foreach (string name in config.ModulesToSave.Where(name => path.EndsWith(name, StringComparison.Ordinal)))
        {
            saved = _namesFound.Add(name) || true;
        }

        return saved;
    }

    // modules_to_save replaces a module; targeting the table or the head stores the weight below the pair as well.
    private void ReadWholeWeight(ModuleEdits edits, bool targeted)
    {
        BaseModule module = edits.Module;
        bool saved = IsSaved(module.Path) || (module.Site == Site.Head && Model.TiedHead && IsSaved(Table.Path) && Tensors.Has($"{module.Path}.weight"));
        string name = saved ? $"{module.Path}.weight" : $"{module.Path}.base_layer.weight";
        if (saved || Tensors.Has(name))
        {
            FloatMatrix weight = WholeWeight(name, module);
            edits.BringsWeight = true;
            edits.Dense = weight.Values.LessBase(Model.Weight(module).Values) is null ? null : weight;
        }
        else if (RepeatedWeight(module) is { } repeated)
        {
            FloatMatrix weight = WholeWeight(repeated, module);
            edits.Dense = Repeats(repeated, weight.Values.LessBase(Model.Weight(module).Values), targeted) is null ? null : weight;
        }

        string bias = $"{module.Path}.bias";
        if (saved && module.HasBias && Tensors.Has(bias))
        {
            edits.Bias = Tensors.Vector(bias, module.Outputs, $"the base's {module.Path}").LessBase(Model.Bias(module));
        }
    }

    private FloatMatrix WholeWeight(string name, BaseModule module) => module.IsTransposed
        ? Tensors.Matrix(name, module.Inputs, module.Outputs, $"the base's {module.Path}, which is stored transposed").Transposed()
        : Tensors.Matrix(name, module.Outputs, module.Inputs, $"the base's {module.Path}");

    /// <summary>The base's own weight that the file has although nothing says that it should; null where it has not.</summary>
    private string? RepeatedWeight(BaseModule module)
    {
        string own = $"{module.Path}.weight";
        string table = $"{Table.Path}.weight";
        return Tensors.Has(own) ? own
            : module.Site == Site.Head && Model.TiedHead && !IsSaved(Table.Path) && !config.Targets.Targets(Table) && Tensors.Has(table) ? table
            : null;
    }

    /// <summary>Notes that the file has a parameter of the base, which PEFT would load over it.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="difference">By how much it differs; null for not at all.</param>
    /// <param name="targeted">Whether the method changes the same parameter by its own tensors.</param>
    private float[]? Repeats(string name, float[]? difference, bool targeted)
    {
        if (difference is not null && targeted)
        {
            throw OtherWeight(name);
        }

        (difference is null ? _equal : _replaced).Add(name);
        return difference;
    }

    private AdapterFormatException OtherWeight(string name) =>
        new($"{Tensors.File}: tensor '{name}' is not what the base has there, and the adapter's own tensors are to change that. Load the adapter on the base it was made for, or save it without the base's weights.");

    private void NoteRepeated()
    {
        Note(_equal, "which equal it; they change nothing");
        Note(_replaced, "with other values; they take their place, as in PEFT");

        void Note(HashSet<string> names, string what)
        {
            if (names.Count > 0)
            {
                Tensors.Notes.Add($"{Tensors.File}: also holds {names.Count} of the base's own weights, {string.Join(", ", names.Take(3).Select(name => $"'{name}'"))}{(names.Count > 3 ? " and so on" : "")}, {what}.");
            }
        }
    }

    private void ReadBias(ModuleEdits edits, bool targeted)
    {
        BaseModule module = edits.Module;
        string name = targeted ? $"{module.Path}.base_layer.bias" : $"{module.Path}.bias";
        if (!module.HasBias || !Tensors.Has(name) || IsSaved(module.Path))
        {
            return;
        }

        float[]? difference = Tensors.Vector(name, module.Outputs, $"the base's {module.Path}").LessBase(Model.Bias(module));
        if (!config.ReplacesBiases && !(config.ReplacesBiasesOfTargets && targeted))
        {
            Repeats(name, difference, targeted: false);
        }

        if (difference is not null)
        {
            edits.AddBias(difference);
        }
    }

    private void ReadTokenRows(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        foreach ((string name, int[] tokens) in config.TrainableTokens)
        {
            bool named = ModuleFilter.HasName(module.Path, name);
            if (!named && !(module.Site == Site.Head && Model.TiedHead && ModuleFilter.HasName(Table.Path, name) && edits.Rows is null))
            {
                continue;
            }

            _namesFound.Add(name);
            // A tied head's rows are stored once more, or the table's count for it.
            string path = named || Tensors.Has(TokenRows(module.Path)) ? module.Path : Table.Path;
            FloatMatrix rows = Tensors.Matrix(TokenRows(path), tokens.Length, module.Inputs, $"{tokens.Length} tokens in the configuration, {module.Inputs} elements a row");
            edits.Rows = RowsOf(module, tokens, rows);
        }
    }

    private string TokenRows(string path) => $"{path}{TokenRowsPart}.trainable_tokens_delta";

    private RowsDelta RowsOf(BaseModule module, int[] tokens, FloatMatrix rows)
    {
        int[] order = [.. Enumerable.Range(0, tokens.Length).OrderBy(i => tokens[i])];
        int[] sorted = [.. order.Select(i => tokens[i])];
        if (sorted.Length > 0 && sorted[^1] >= module.Outputs)
        {
            throw new AdapterFormatException($"{Tensors.File}: the configuration's token indices hold {sorted[^1]}; expected tokens below {module.Outputs}, the base's vocabulary. Load it on the base it was made for.");
        }

        if (sorted.Distinct().Count() != sorted.Length)
        {
            throw new AdapterFormatException($"{Tensors.File}: the configuration names a token twice; expected each once.");
        }

        var deltas = new FloatMatrix(sorted.Length, module.Inputs);
        float[] original = new float[module.Inputs];
        for (int i = 0; i < sorted.Length; i++)
        {
            Model.CopyWeightRow(module.Site, sorted[i], original);
            rows.Row(order[i]).CopyTo(deltas.Row(i));
            TensorPrimitives.Subtract(deltas.Row(i), original, deltas.Row(i));
        }

        return new RowsDelta(module.Site, sorted, deltas);
    }
}
