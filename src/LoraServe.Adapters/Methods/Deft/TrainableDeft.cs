using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Deft;

/// <summary>DEFT: a few directions of outputs, whose part of the weight is replaced.</summary>
internal sealed class TrainableDeft : TrainableUpdates
{
    private const float Deviation = 0.02f;

    /// <summary>Random directions, and what the weight makes along them, so that nothing changes; random where the configuration's init_weights is false.</summary>
    public TrainableDeft(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        DeftConfig deft = DeftConfig.Read(fields);
        bool beginsAsBase = fields.Flag("init_weights", true);
        float deviation = (float)(Deviation * (fields.Number("init_scale") ?? 1));
        AddUpdates(deft.Modules, options.Seed, (module, path, seed) =>
        {
            int rank = deft.Rank(module);
            Parameter directions = Add($"{path}.deft_P", [module.Outputs, rank], Initialization.Normal(checked(module.Outputs * rank), Deviation, seed));
            Parameter? injected = deft.RemovesOnly ? null
                : Add($"{path}.deft_R", [rank, module.Inputs], beginsAsBase ? null : Initialization.Normal(checked(rank * module.Inputs), deviation, seed + 1));
            var update = new Update(model, module, directions, injected, deft);
            if (beginsAsBase)
            {
                update.BeginAsBase();
            }

            return update;
        });
    }

    private sealed class Update(IBaseModel model, BaseModule module, Parameter directions, Parameter? injected, DeftConfig config) : TrainableUpdate(module)
    {
        private readonly float _scale = config.Scale(module);
        private HouseholderQr? _orthogonal;
        private FloatMatrix _c = new(0, 0);

        public override ModuleEdit Edit()
        {
            FloatMatrix b = Directions();
            return DeftReader.Edit(model, Module, b, _c, injected?.Matrix(), _scale);
        }

        /// <summary>R = Cᵀ·W / scale.</summary>
        public void BeginAsBase()
        {
            if (injected is not null)
            {
                _ = Directions();
                TensorPrimitives.Divide(model.MultiplyFromLeft(Module, _c.Transposed()).Values, _scale, injected.Values);
            }
        }

        public override void Pull(LinearEditGradient change)
        {
            FloatMatrix dA = change.A!.Matrix();
            if (injected is not null)
            {
                TensorPrimitives.MultiplyAdd(dA.Values, _scale, injected.Gradient, injected.Gradient);
            }

            FloatMatrix dC = model.MultiplyRows(Module, dA).Transposed();
            if (_orthogonal is not null)
            {
                FloatMatrix dQ = change.B!.Matrix();
                var sum = new FloatMatrix(dQ.Rows, dQ.Columns);
                TensorPrimitives.Subtract(dQ.Values, dC.Values, sum.Values);
                _orthogonal.Back(sum, directions.Gradient);
                return;
            }

            for (int i = 0; i < directions.Values.Length; i++)
            {
                directions.Gradient[i] += change.B!.Values[i] - (directions.Values[i] > 0 ? dC.Values[i] : 0);
            }
        }

        private FloatMatrix Directions()
        {
            _orthogonal = config.IsOrthogonal ? new HouseholderQr(directions.Matrix()) : null;
            _c = _orthogonal?.Q ?? DeftReader.Positive(directions.Matrix());
            return _orthogonal?.Q ?? directions.Matrix();
        }
    }
}
