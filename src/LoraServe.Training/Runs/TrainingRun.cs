using System.Diagnostics;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Backward;
using LoraServe.Training.Checkpoints;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Methods;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using LoraServe.Training.Reports;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Runs;

/// <summary>One run, from its settings to what lies in its folder at the end. The trainer moves it on, step by step.</summary>
internal sealed class TrainingRun : IDisposable
{
    // Where nothing is said, the rate rises over a twentieth of the run.
    private const int WarmupShare = 20;
    private readonly TrainingJobOptions _options;
    private readonly LoadedModel _model;
    private readonly RunClock _clock;
    private readonly RunData _data;
    private readonly RunFolder _folder;
    private readonly AdapterTraining _training;
    private readonly MetricsLog _metrics;
    private readonly List<TrainingProgress> _steps;
    private readonly BestParameters _best = new();
    private readonly GrowingRank? _growing;
    private List<TrainingExample> _examples = [];
    private long _tokens;
    private int _checkpointed;

    /// <summary>Reads settings and data, and goes on from the folder's checkpoint where there is one.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="folder">The run's own.</param>
    /// <param name="model">The base, in exact arithmetic.</param>
    /// <param name="time">The clock.</param>
    /// <param name="workers">Threads to prepare with.</param>
    /// <exception cref="TrainingOptionsException">A setting is wrong.</exception>
    /// <exception cref="TrainingDataException">The data is.</exception>
    /// <exception cref="AdapterFormatException">The adapter to go on from is.</exception>
    public TrainingRun(TrainingJobOptions options, string folder, LoadedModel model, TimeProvider time, int workers)
    {
        options.Validate();
        _model = model;
        _data = new RunData(options, model);
        try
        {
            _folder = new RunFolder(folder, RunSettings.Of(options, _data.Rows, model.Transformer.Fingerprint));
            _options = options = ChosenRanks.Resolve(options, model, _data, workers);
            TotalSteps = _data.CountSteps();
            TrainableAdapter adapter = MethodCatalog.Create(options, new TrainableContext(model.Transformer)
            {
                BaseName = model.Name,
                TotalSteps = TotalSteps,
                Tokenize = model.Tokenizer is { } tokenizer ? text => tokenizer.Encode(text, addSpecialTokens: false) : null,
            });
            var rate = new LearningRate(options.Schedule, MethodCatalog.LearningRate(options), options.WarmupSteps ?? (TotalSteps / WarmupShare), TotalSteps);
            double norm = options.MaximumGradientNorm > 0 ? options.MaximumGradientNorm : double.PositiveInfinity;
            _training = new AdapterTraining(adapter, model.Transformer, new Optimizer(options.Optimizer), rate, norm, (float)options.LabelSmoothing, options.Loss, options.Beta);
            _growing = options.Growth is { } growth ? new GrowingRank(growth, _training, _best) : null;
            _tokens = _folder.Restore(_training, _data, _best, _growing);
            _checkpointed = _training.Step;
            _metrics = MetricsLog.Open(_folder.MetricsFile, _training.Step);
            _steps = [.. MetricsLog.Read(_folder.MetricsFile)];
            _clock = new RunClock(time);
            _clock.Start(_tokens);
        }
        catch
        {
            _data.Dispose();
            throw;
        }
    }

    /// <summary>Steps of the whole run.</summary>
    public int TotalSteps { get; }

    /// <summary>Whether nothing is left to do but to finish.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Begins a step.</summary>
    /// <param name="tokensAtOnce">Most tokens that go through the model at once.</param>
    /// <returns>Its parts; where they are cut depends on this run alone.</returns>
    public IReadOnlyList<StepPart> BeginStep(int tokensAtOnce)
    {
        if (_options.Loss == LossKind.Supervised)
        {
            _examples = _data.NextExamples();
            _training.BeginStep(LabelledTokens.Count(_examples, _training.Resident));
            return [.. ExampleParts.Of(_examples, TokensOf, tokensAtOnce).Select(part => new StepPart(part.Sum(TokensOf), [], () => _training.Share(part)))];
        }

        List<PreferenceExample> pairs = _data.NextPairs();
        _examples = [.. pairs.SelectMany(pair => new[] { pair.Chosen, pair.Rejected })];
        _training.BeginStep(pairs);
        return [.. ExampleParts.Of(pairs, TokensOfPair, tokensAtOnce).Select(part =>
        {
            PreferenceBatch batch = _training.Preferences(part);
            return new StepPart(part.Sum(TokensOfPair), batch.References, () => _training.Share(batch));
        })];

        static int TokensOf(TrainingExample example) => example.Tokens.Length;

        static int TokensOfPair(PreferenceExample pair) => TokensOf(pair.Chosen) + TokensOf(pair.Rejected);
    }

    /// <summary>Ends a step: updates the parameters, evaluates where that is due, logs, and checkpoints where that is due.</summary>
    /// <exception cref="DivergenceException">The loss is no longer a number.</exception>
    /// <exception cref="IOException">The folder cannot be written to; the last checkpoint is whole.</exception>
    public TrainingProgress EndStep(ITrainingPass pass, WorkerPool pool, int tokensAtOnce)
    {
        StepResult result = _training.EndStep(pool);
        _tokens += _examples.Sum(example => (long)example.Tokens.Length);
        bool isLast = _training.Step >= TotalSteps;
        if (isLast)
        {
            // The last evaluation is of what will be saved.
            _training.Finish();
        }

        Evaluation? evaluation = _data.Evaluation.Count > 0 && (isLast || IsEvaluationDue()) ? Evaluate(pass, tokensAtOnce) : null;
        IsDone = isLast || (_options.Patience > 0 && _best.Waited >= _options.Patience);
        if (!IsDone && evaluation is not null)
        {
            _growing?.Offer(evaluation.Loss);
        }

        TrainingProgress progress = _clock.Step(result, _training.Step, TotalSteps, _tokens) with { EvaluationLoss = evaluation?.Loss, EvaluationScore = evaluation?.Score, Rank = _growing?.Rank };
        _metrics.Append(progress);
        _steps.Add(progress);
        if (!IsDone && _options.CheckpointInterval > 0 && _training.Step % _options.CheckpointInterval == 0)
        {
            WriteCheckpoint();
        }

        return progress;
    }

    /// <summary>Leaves a checkpoint of the last step, between two steps, where the run has any.</summary>
    public void Interrupt()
    {
        if (_options.CheckpointInterval == 0 || _training.Step == _checkpointed)
        {
            return;
        }

        try
        {
            WriteCheckpoint();
        }
        catch (CheckpointException)
        {
            // Whoever stops a run wants it stopped; it goes on from the checkpoint before.
        }
    }

    /// <summary>Leaves the adapter and the report in the folder, and makes sure that the files give what was trained.</summary>
    public TrainingOutcome Finish(ITrainingPass pass)
    {
        if (_options.Patience > 0)
        {
            _best.Restore(_training.Adapter);
        }

        _training.Finish();
        IReadOnlyList<MethodVariant> methods = MethodCatalog.Find(_options.Method);
        _folder.Save(_training.Adapter, methods is [{ MakesModel: true }] ? null : _data.Rows.Brought);
        if (methods is [{ MakesModel: true }])
        {
            ModelDirectoryWriter.Write(_folder.Path, _model, _model.Transformer.TiedHead);
        }
        else
        {
            IReadOnlyList<string> saved = methods.Count == 1 ? [_folder.Path] : [.. methods.Select(method => Path.Combine(_folder.Path, method.Name))];
            SavedAdapterCheck.Run(saved, _training, _model.Transformer, pass, _examples);
        }

        RunSummary summary = Summary();
        HtmlReport.Save(_folder.ReportFile, summary, _steps);
        _folder.Finish(summary, methods is [{ MakesModel: true }] ? ModelDirectoryWriter.FileNames : []);
        return new TrainingOutcome(_folder.Path, summary);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _metrics.Dispose();
        _training.Dispose();
        _data.Dispose();
    }

    private void WriteCheckpoint()
    {
        _folder.Write(_training, _data.Cursor, _best, _growing, _tokens);
        _checkpointed = _training.Step;
    }

    private bool IsEvaluationDue() => _options.EvaluationInterval is { } interval ? _training.Step % interval == 0 : _data.HasBegunEpoch();

    private Evaluation Evaluate(ITrainingPass pass, int tokensAtOnce)
    {
        Evaluation evaluation = _clock.Evaluate(() => _training.AtRest(adapter => Evaluation.Of(_data.Evaluation, adapter, pass, tokensAtOnce)));
        if (_options.Patience > 0 || _growing is not null)
        {
            // A copy of everything that is trained: not where nothing goes back to it.
            _best.Offer(evaluation.Loss, _training.Adapter);
        }

        return evaluation;
    }

    private RunSummary Summary()
    {
        long trainable = _training.Adapter.Parameters.Sum(parameter => parameter.Values.LongLength);
        return new RunSummary
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(_folder.Path))),
            Model = _model.Name,
            Method = _options.Method,
            TrainableParameters = trainable,
            AllParameters = MethodCatalog.Find(_options.Method)[0].MakesModel ? _model.Transformer.ParameterCount() : _model.Transformer.ParameterCount() + trainable,
            BaseBytes = _model.Transformer.ByteLength,
            AdapterBytes = _folder.AdapterBytes(),
            PeakMemoryBytes = Process.GetCurrentProcess().PeakWorkingSet64,
            Ranks = [.. Ranks()],
            CutRows = _data.Rows.CutRows,
            SkippedRows = _data.Rows.SkippedRows,
            Tokens = _tokens,
            TrainingTime = _clock.Elapsed - _clock.Evaluating,
            EvaluationTime = _clock.Evaluating,
            Score = _steps.LastOrDefault(step => step.EvaluationScore is not null)?.EvaluationScore,
            FullScore = _options.FullScore,
            Settings = [.. Settings()],
        };
    }

    private IEnumerable<KeyValuePair<string, string>> Settings()
    {
        yield return KeyValuePair.Create("Data", $"{Path.GetFileName(_options.DataFile)}: {_data.Rows.Description}");
        if (_data.Rows.CutRows > 0 || _data.Rows.SkippedRows > 0)
        {
            yield return KeyValuePair.Create("Long rows", FormattableString.Invariant($"{_data.Rows.CutRows} cut, {_data.Rows.SkippedRows} left out"));
        }

        yield return KeyValuePair.Create("Steps", FormattableString.Invariant($"{_training.Step}"));
        yield return KeyValuePair.Create("Learning rate", FormattableString.Invariant($"{MethodCatalog.LearningRate(_options):g4}, {_options.Schedule}"));
        yield return KeyValuePair.Create("Optimizer", _options.Optimizer.Kind.ToString());
        yield return KeyValuePair.Create("Batch", _options.BatchTokens is { } tokens ? $"{tokens} tokens" : $"{_options.BatchRows ?? RunData.UsualRows} rows");
        yield return KeyValuePair.Create("Seed", FormattableString.Invariant($"{_options.Seed}"));
    }

    private IEnumerable<LayerRank> Ranks() =>
        from pair in _training.Adapter.Edits().OfType<LowRank>()
        where pair.Site.Layer >= 0
        group pair by pair.Site into site
        select new LayerRank(site.Key.Layer, _model.Transformer.Modules.First(module => module.Site == site.Key).Name, site.First().Rank);
}
