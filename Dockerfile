# One image for every part: Ray's head and workers, the command line and the dashboard. It has to be one, for Ray compares
# the versions of Python and Ray on all nodes. torch comes with its CUDA libraries, and trains on GPUs where there are any
# and on cores where there are none.
#
#     docker build --tag petitnet .
#
# pip's own settings, where they are needed to reach a package index, go in as a secret and stay out of the image:
#
#     docker build --tag petitnet --secret id=pip,src=$HOME/.config/pip/pip.conf .

ARG PYTHON=3.11
FROM python:${PYTHON}-slim

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

# A C compiler, for the loops that workers compile for the processor they find.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*

# What petitnet needs, in a layer that stays until pyproject.toml or constraints.txt changes.
WORKDIR /opt/petitnet
COPY pyproject.toml constraints.txt ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    mkdir --parents search/export space workers dashboards/ink dashboards/pareto \
        dashboards/report dashboards/site dashboards/views search/commands search/published \
    && touch README.md \
    && pip install --constraint constraints.txt '.[postgres,cluster,dashboard,export]' \
    && pip uninstall --yes petitnet

COPY README.md ./
COPY search search
COPY space space
COPY workers workers
COPY dashboards dashboards
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install --no-deps . \
    && rm -r build petitnet.egg-info
COPY --chmod=755 deploy/join-and-search /usr/local/bin/

# Any user may run it: the two directories that it writes to are open, as /tmp is.
RUN useradd --uid 1000 --user-group --create-home petitnet \
    && install --directory --mode 1777 /var/lib/petitnet \
    && chmod 1777 /home/petitnet
ENV HOME=/home/petitnet \
    USER=petitnet \
    PETITNET_HOME=/var/lib/petitnet \
    PYTHONUNBUFFERED=1 \
    RAY_USAGE_STATS_ENABLED=0
USER 1000:1000
WORKDIR /home/petitnet
CMD ["search", "--help"]
